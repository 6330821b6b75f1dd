//! A closure that misses one kind of edge is found out by the same histories that find nothing otherwise.

use hydrator::render::closure::EdgeKind;

use super::ground::Ground;
use super::history::{Wanted, states};

/// Enough for every kind of edge; the first few do mostly.
const HISTORIES: u64 = 24;
const BATCH: u64 = 4;

fn is_found_out(edge: EdgeKind) {
    let wanted = Wanted { edge: Some(edge), commits: 3 };
    for start in (0..HISTORIES).step_by(usize::try_from(BATCH).unwrap()) {
        let histories = (start..start + BATCH).map(|seed| states(seed, wanted)).collect();
        let (mut ground, placed) = Ground::new(histories);
        for history in &placed {
            if ground.violation(history, Some(edge)).is_some() {
                let whole = ground.violation(history, None);
                assert!(whole.is_none(), "the whole closure is too narrow: {}", whole.unwrap());
                return;
            }
        }
    }
    panic!("nothing notices that {edge:?} is missing");
}

macro_rules! edges {
    ($($test:ident: $edge:ident,)*) => {
        $(
            #[test]
            fn $test() {
                is_found_out(EdgeKind::$edge);
            }
        )*

        #[test]
        fn every_kind_is_tried() {
            assert_eq!(EdgeKind::ALL, [$(EdgeKind::$edge,)*]);
        }
    };
}

edges! {
    resource: Resource,
    base: Base,
    component: Component,
    patch: Patch,
    patch_strategic_merge: PatchStrategicMerge,
    patch_json6902: PatchJson6902,
    config_map_generator: ConfigMapGenerator,
    secret_generator: SecretGenerator,
    generator: Generator,
    transformer: Transformer,
    validator: Validator,
    replacement: Replacement,
    configuration: Configuration,
    crd: Crd,
    open_api: OpenApi,
    helm_chart: HelmChart,
    helm_values: HelmValues,
    plugin_file: PluginFile,
    kustomization: Kustomization,
    kustomization_name: KustomizationName,
    shadow: Shadow,
    link: Link,
    link_target: LinkTarget,
    link_in_directory: LinkInDirectory,
    directory: Directory,
    chart_dependency: ChartDependency,
    value_file: ValueFile,
    command_input: CommandInput,
    mode: Mode,
    whole_tree: WholeTree,
}
