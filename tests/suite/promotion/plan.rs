//! A random configuration: environments, who waits for whom, gates.

use crate::support::random::Random;

const NAMES: [&str; 4] = ["dev", "staging", "prod", "last"];

/// One environment.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the configuration")]
#[derive(Clone, Debug)]
pub(super) struct Environment {
    pub(super) name: String,
    /// Those that it waits for, as they come out.
    pub(super) before: Vec<usize>,
    /// Whether `after` says so, or the order.
    named: bool,
    pub(super) auto_merge: bool,
    pub(super) push: bool,
    pub(super) method: &'static str,
    /// Minutes.
    pub(super) soak: i64,
    pub(super) statuses: Vec<&'static str>,
    /// Open from 08:00 to 18:00 UTC on every day.
    pub(super) window: bool,
    pub(super) repair: bool,
}

/// The configuration.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) environments: Vec<Environment>,
    pub(super) finish: bool,
    pub(super) required: Vec<String>,
}

impl Plan {
    /// Some configuration.
    pub(super) fn random(random: &mut Random) -> Self {
        let count = 2 + random.below(3);
        let no_order = random.chance(10);
        let environments = (0..count).map(|at| environment(at, no_order, random)).collect();
        let mut required = Vec::new();
        if random.chance(70) {
            required.push("hydrator/promotion".to_owned());
        }
        if random.chance(25) {
            required.push("review".to_owned());
        }
        Self { environments, finish: random.chance(20), required }
    }

    /// `dev`, `staging` and `prod` in a line, merged by people.
    pub(super) fn line() -> Self {
        let place = |at: usize| Environment::plain(at, at.checked_sub(1).into_iter().collect());
        Self { environments: (0..3).map(place).collect(), finish: false, required: Vec::new() }
    }

    /// `dev`, then `staging` and `prod` beside each other, then `last`, merged by hydrator.
    pub(super) fn diamond() -> Self {
        let place = |at: usize, before: &[usize]| Environment {
            named: true,
            auto_merge: true,
            ..Environment::plain(at, before.to_vec())
        };
        let environments = vec![place(0, &[]), place(1, &[0]), place(2, &[0]), place(3, &[1, 2])];
        Self { environments, finish: false, required: Vec::new() }
    }

    /// `hydrator.yaml`.
    pub(super) fn yaml(&self) -> String {
        let contention = if self.finish { "finish" } else { "latest" };
        let mut text = format!("version: 1\npromotion: {{ contention: {contention} }}\nenvironments:\n");
        for environment in &self.environments {
            text += &environment.yaml(&self.environments);
        }
        let target =
            |name: &str| format!("  - {{ path: \"deploy/{{environment}}/{name}\", name: {name} }}\n");
        text + "targets:\n" + &super::ground::TARGETS.map(target).concat()
    }

    /// Everything that comes after an environment.
    pub(super) fn later(&self, at: usize) -> Vec<usize> {
        let mut found = vec![at];
        // `before` names earlier environments only, so that one pass finds all.
        for next in at + 1..self.environments.len() {
            if self.environments[next].before.iter().any(|one| found.contains(one)) {
                found.push(next);
            }
        }
        found.split_off(1)
    }
}

fn environment(at: usize, no_order: bool, random: &mut Random) -> Environment {
    let named = no_order || random.chance(30);
    let mut before: Vec<usize> = at.checked_sub(1).into_iter().collect();
    if named {
        before = (0..at).filter(|_| random.chance(if no_order { 0 } else { 60 })).collect();
    }
    let push = random.chance(15);
    Environment {
        name: NAMES[at].to_owned(),
        before,
        named,
        auto_merge: random.chance(60),
        push,
        method: ["merge", "squash", "rebase"][random.below(3)],
        soak: if random.chance(30) { 30 } else { 0 },
        statuses: if random.chance(40) { vec!["health"] } else { Vec::new() },
        window: random.chance(15),
        repair: random.chance(50),
    }
}

impl Environment {
    /// One that people merge, without gates.
    fn plain(at: usize, before: Vec<usize>) -> Self {
        Self {
            name: NAMES[at].to_owned(),
            before,
            named: false,
            auto_merge: false,
            push: false,
            method: "merge",
            soak: 0,
            statuses: Vec::new(),
            window: false,
            repair: false,
        }
    }

    fn yaml(&self, all: &[Self]) -> String {
        let names: Vec<&str> = self.before.iter().map(|at| all[*at].name.as_str()).collect();
        let line = |wanted: bool, text: String| if wanted { format!("    {text}\n") } else { String::new() };
        let statuses = self.statuses.join(", ");
        let window = "mergeWindows: [{ days: mon-sun, hours: \"08:00-18:00\", timezone: UTC }]";
        [
            format!("  - name: {}\n", self.name),
            line(true, format!("autoMerge: {}", self.auto_merge)),
            line(true, format!("mergeMethod: {}", self.method)),
            line(self.named, format!("after: [{}]", names.join(", "))),
            line(self.push, "delivery: push".to_owned()),
            line(self.repair, "drift: repair".to_owned()),
            line(true, format!("gates: {{ soak: {}m, statuses: [{statuses}] }}", self.soak)),
            line(self.window, window.to_owned()),
        ]
        .concat()
    }

    /// Whether a hand edit can be put right by hydrator.
    pub(super) const fn repairs(&self) -> bool {
        self.repair
    }
}
