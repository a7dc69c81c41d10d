//! Request load.

use super::code::grouped;
use super::steps::Body;
use super::{Helper, Unwritable};
use crate::scenario::{Arrival, GoType, Serve, Written};

impl Body<'_, '_> {
    /// `serve(&load{count: 24_000, interval: 125_000}, 1, func(worker, number int) { ... })`.
    pub(super) fn serve(&mut self, step: &Serve) -> Result<(), Unwritable> {
        self.types.need(Helper::Serve);
        let mut fields = format!("count: {}, interval: {:?}", grouped(step.requests()), step.interval_ns());
        if step.arrival == Arrival::Poisson {
            fields.push_str(&format!(
                ", numbers: newStream(seed, {}, {})",
                step.seed,
                self.turn_of_numbers()
            ));
        }
        let cells = step.garbage.as_ref().map(|garbage| {
            let cells = self.cells(&garbage.part.go_type, step.workers, garbage.count);
            (cells, self.types.new_object(&garbage.part.go_type, Written::All), garbage.count)
        });
        self.code.open(&format!("serve(&load{{{fields}}}, {}, func(worker, number int) {{", step.workers));
        if let Some((cells, object, count)) = &cells {
            self.code.open(&format!("for i := 0; i < {}; i++ {{", grouped(*count)));
            self.code.line(&format!("{cells}[worker][i] = {object}"));
            self.code.close("}");
        }
        if let Some(session) = &step.session {
            let name = self.name(session.into);
            let object = self.types.new_object(&session.object.go_type, Written::All);
            self.code.line(&format!("{name}[number%len({name})] = {object}"));
        }
        if step.cpu_ns > 0 {
            self.types.need(Helper::Spin);
            self.code.line(&format!("spin({})", super::steps::duration(step.cpu_ns)));
        }
        self.code.close("})");
        if let Some((cells, ..)) = cells {
            self.code.line(&format!("clear({cells}[:])"));
        }
        Ok(())
    }

    /// A variable for what the request of each worker has made.
    fn cells(&mut self, go_type: &GoType, workers: u64, count: u64) -> String {
        let name = format!("made{}", self.sinks.len() + 1);
        let text = format!("[{workers}][{count}]*{}", self.types.text(go_type));
        self.sinks.push((name.clone(), text));
        name
    }
}
