use gclab::process::{Process, Settings};
use gclab::heap::mutator::Mutator;
use gclab::heap::object::{Layout, ObjRef};
fn main() {
    for gogc in [50, 100, 200, 400] {
    let t = std::time::Instant::now();
    let mut p = Process::start(Settings { gogc_percent: Some(gogc), ..Settings::default() });
    let head = p.new_global();
    p.snapshot("start");
    let node = Layout::scan(64, 1, 8);
    let mut left = 1u32 << 20;
    p.begin_step("list");
    while left > 0 {
        let run = p.alloc_run(node, left);
        for obj in run.objects() {
            let old = p.global(head);
            p.set_pointer(obj, 0, old);
            p.touch(obj, 0, 16);
            p.set_global(head, obj);
        }
        left -= run.count();
    }
    p.snapshot("live");
    p.begin_step("garbage");
    let garbage = Layout::noscan(256);
    let mut left = 1u32 << 24;
    while left > 0 {
        let run = p.alloc_run(garbage, left);
        for obj in run.objects() { p.touch(obj, 0, 1); }
        left -= run.count();
    }
    p.snapshot("end");
    let trace = p.into_trace("steady", "", "", "");
    for s in &trace.snapshots {
        let m = &s.mem_stats;
        println!("{gogc} {:6} t={:8.1}ms alloc={:.3} inuse={:.3} idle={:.3} rel={:.3} sys={:.3} total={:.3} next={:.3} numgc={} frac={:.4} rss={:.3}", s.label, s.t_ns as f64/1e6, m.heap_alloc as f64/1048576., m.heap_inuse as f64/1048576., m.heap_idle as f64/1048576., m.heap_released as f64/1048576., m.sys as f64/1048576., m.total_alloc as f64/1048576., m.next_gc as f64/1048576., m.num_gc, m.gc_cpu_fraction, s.rss_bytes as f64/1048576.);
    }
    println!("peak alloc {:.1} rss {:.1} host {:?} samples {}", trace.summary.peak_heap_alloc_bytes as f64/1048576., trace.summary.peak_rss_bytes as f64/1048576., t.elapsed(), trace.samples.len());
    for c in trace.cycles.iter().take(8) { println!("{:?} start {:.2} mark {:.2} ms A {:.1} B {:.1} C {:.1} goal {:.1} trig {:.1} runway {:.1} cm {:.3} work {:.2} assist {:.2} idle {:.2} frac {:.2}", c.number, c.start_ns as f64/1e6, (c.mark_end_ns - c.mark_start_ns) as f64/1e6, c.heap_start_bytes as f64/1048576., c.heap_end_bytes as f64/1048576., c.heap_marked_bytes as f64/1048576., c.goal_bytes as f64/1048576., c.trigger_bytes as f64/1048576., c.runway_bytes as f64/1048576., c.cons_mark, c.heap_scan_work_bytes as f64/1048576., c.assist_cpu_ns as f64/1e6, c.idle_cpu_ns as f64/1e6, c.fractional_cpu_ns as f64/1e6); }
    let _ = ObjRef::NIL;
    }
}
