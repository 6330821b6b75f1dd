//! The files of the demo's DRY branch. Pure.

/// A path on the DRY branch, and a text.
pub(super) type File = (&'static str, &'static str);

/// The configuration.
pub(super) const CONFIGURATION: File = ("hydrator.yaml", include_str!("dry/hydrator.yaml"));

/// What the template is filled in with, unless the environment says otherwise.
pub(super) const VALUES: File = ("apps/shop/values.yaml", include_str!("dry/apps/shop/values.yaml"));

/// The same file, released anew.
pub(super) const NEW_VALUES: File = (VALUES.0, include_str!("values-1.1.0.yaml"));

/// Everything, at first.
pub(super) const FIRST: [File; 7] = [
    CONFIGURATION,
    VALUES,
    ("apps/shop/values-prod.yaml", include_str!("dry/apps/shop/values-prod.yaml")),
    ("apps/shop/deployment.yaml.j2", include_str!("dry/apps/shop/deployment.yaml.j2")),
    ("platform/dev/namespace.yaml", include_str!("dry/platform/dev/namespace.yaml")),
    ("platform/staging/namespace.yaml", include_str!("dry/platform/staging/namespace.yaml")),
    ("platform/prod/namespace.yaml", include_str!("dry/platform/prod/namespace.yaml")),
];
