//! The sentences in Chinese.

use super::super::event::{Cause, Event, SyncBuild};
use super::{locked, size, size_or, time};

/// The sentence for an event.
pub(super) fn sentence(event: &Event) -> String {
    of_maps(event)
        .or_else(|| of_sync(event))
        .or_else(|| of_objects(event))
        .or_else(|| of_loads(event))
        .or_else(|| of_collector(event))
        .expect("every event has its sentence")
}

fn names(names: &[String]) -> String {
    if names.is_empty() { "无".to_owned() } else { names.join("、") }
}

fn or_nil(name: &Option<String>) -> &str {
    name.as_deref().unwrap_or("nil")
}

fn variable(var: &str) -> &str {
    if var.is_empty() { "栈" } else { var }
}

fn found(greyed: &[String], blackened: &[String]) -> Option<String> {
    let grey = (!greyed.is_empty()).then(|| format!("{} 变灰", names(greyed)));
    let black = (!blackened.is_empty()).then(|| format!("{} 里面没有指针，直接变黑", names(blackened)));
    let both: Vec<String> = grey.into_iter().chain(black).collect();
    (!both.is_empty()).then(|| both.join("，"))
}

fn of_maps(event: &Event) -> Option<String> {
    let held = |lock: &Option<&str>| locked(*lock, "已加锁：");
    Some(match event {
        Event::Make { var, .. } => format!("{var} = make(map)：有了 map 头；如果给了大小，也有了桶。"),
        Event::Insert { var, key, lock } => format!("{}{var}[{key}] = v：键占用一个空槽位。", held(lock)),
        Event::Update { var, key, lock } => {
            format!("{}{var}[{key}] = v：键已存在，值被替换。", held(lock))
        }
        Event::MapGrows { var, slots_before, slots } => {
            format!("{var} 没有空位了：槽位从 {slots_before} 个变为 {slots} 个，旧的成为垃圾。")
        }
        Event::Delete { var, key, lock } => {
            format!("{}delete({var}, {key})：槽位空出来了，其他不变：map 从不缩小。", held(lock))
        }
        Event::DeleteNothing { var, key, lock } => {
            format!("{}delete({var}, {key})：键不存在，什么也没发生。", held(lock))
        }
        Event::Lookup { var, key, lock } => format!("{}{var}[{key}] 存在。", held(lock)),
        Event::LookupNothing { var, key, lock } => format!("{}{var}[{key}] 不存在。", held(lock)),
        Event::Range { var, keys } => {
            format!("for k := range {var}：访问 {keys} 个键。没有分配，也没有释放。")
        }
        Event::Clear { var } => format!("clear({var})：所有槽位空出，桶还在。"),
        Event::RebuildBegins { var, keys } => {
            format!("新建一个 map，大小够放 {var} 的 {keys} 个键，逐个复制。复制完之前两个 map 都活着。")
        }
        Event::RebuildEnds { var, object } => {
            format!("{var} 指向新的 map（{object}），旧的成为垃圾：map 就是这样变小的。")
        }
        _ => return None,
    })
}

fn of_sync(event: &Event) -> Option<String> {
    Some(match event {
        Event::Store { var, key, over: true, .. } => {
            format!("{var}.Store({key}, v)：键已存在，条目指向新值。")
        }
        Event::Store { var, key, over: false, build: SyncBuild::ReadDirty } => {
            format!("{var}.Store({key}, v)：新条目进入 dirty map；不需要锁的 read map 还没有它。")
        }
        Event::Store { var, key, over: false, build: SyncBuild::Trie } => {
            format!("{var}.Store({key}, v)：新条目挂在 trie 的一个节点上。")
        }
        Event::Load { var, key, found: true, .. } => format!("{var}.Load({key}) 找到了。"),
        Event::Load { var, key, found: false, build: SyncBuild::ReadDirty } => {
            format!("{var}.Load({key})：不存在。未命中次数达到 dirty map 的键数时，它就成为 read map。")
        }
        Event::Load { var, key, found: false, build: SyncBuild::Trie } => {
            format!("{var}.Load({key})：不存在。")
        }
        Event::SyncDelete { var, key, found: false, .. } => {
            format!("{var}.Delete({key})：不存在，什么也没发生。")
        }
        Event::SyncDelete { var, key, build: SyncBuild::ReadDirty, .. } => format!(
            "{var}.Delete({key})：read map 里的键只失去它的值；键和条目要等到另一个 map 接替才会消失。"
        ),
        Event::SyncDelete { var, key, build: SyncBuild::Trie, .. } => {
            format!("{var}.Delete({key})：条目从节点上摘下，成为垃圾；变空的节点也一样。")
        }
        Event::SyncRange { var, keys, build: SyncBuild::ReadDirty } => format!(
            "{var}.Range 访问 {keys} 个键。如果 dirty map 有 read map 没有的键，它现在就是 read map。"
        ),
        Event::SyncRange { var, keys, build: SyncBuild::Trie } => format!("{var}.Range 访问 {keys} 个键。"),
        Event::Reset { var } => format!("{var} 恢复为零值：它通向的一切成为垃圾。"),
        Event::PoolGet { var, object, made: true } => {
            format!("{var}.Get()：池里没有，New 新建一个缓冲区 {object}。")
        }
        Event::PoolGet { var, object, made: false } => {
            format!("{var}.Get()：从池里取出 {object}，带着它原来的数组。")
        }
        Event::PoolGrow { object, array, before_bytes: 0, len_bytes } => {
            format!("{object} 得到一个 {} 的数组 {array}。", size(*len_bytes))
        }
        Event::PoolGrow { object, array, before_bytes, len_bytes } => format!(
            "{object} 需要 {}，只有 {}：换成更长的数组 {array}，旧的成为垃圾。",
            size(*len_bytes),
            size(*before_bytes)
        ),
        Event::PoolPut { var, object } => {
            format!("{var}.Put({object})：池留住它，连同它的数组，不管数组有多长。")
        }
        Event::PoolRefuse { var, object, cap_bytes, most_bytes } => {
            format!("{object} 有 {}，超过 {}：不放回 {var}，成为垃圾。", size(*cap_bytes), size(*most_bytes))
        }
        Event::PoolsMoved { forgotten, moved } => format!(
            "GC 即将开始：池里的东西（{moved}）变成 victim 缓存；原来的 victim（{forgotten}）被忘掉。"
        ),
        _ => return None,
    })
}

fn of_objects(event: &Event) -> Option<String> {
    Some(match event {
        Event::Drop { var, object } if object.is_empty() => format!("{var} = nil：本来就是 nil。"),
        Event::Drop { var, object } => {
            format!("{var} = nil：{object} 失去了这个引用。回收器以后才会发现。")
        }
        Event::Alloc { object, slot_bytes, marking: true, .. } => {
            format!("标记期间分配 {object}，它生来就是黑色：本轮存活。槽位 {}。", size(*slot_bytes))
        }
        Event::Alloc { object, size_bytes, slot_bytes, .. } => {
            format!("分配 {object}：申请 {}，占用 {} 的槽位。", size(*size_bytes), size(*slot_bytes))
        }
        Event::Span { pages, slot_bytes, slots } => format!(
            "没有空槽位：{pages} 个页成为一个 span，有 {slots} 个 {} 的槽位。pacer 立即把整个 span 算作活跃堆。",
            size(*slot_bytes)
        ),
        Event::Garbage { object } => {
            format!("没有任何引用指向 {object}：它是垃圾。在 GC 发现之前，槽位仍被占用。")
        }
        Event::Keep { var, object } => format!("{var} 现在可以到达 {object}。"),
        Event::Link { object, to } => format!("{object} 指向 {}。", names(to)),
        Event::Release { var, object } if object.is_empty() => {
            format!("{var} 把一个本来就是 nil 的元素设为 nil。")
        }
        Event::Release { var, object } => format!("{var} 把指向 {object} 的引用设为 nil。"),
        Event::View { from, into, len, object } => {
            format!("{into} 得到 {from}[:{len}]，是同一个数组的视图：它活着，整个 {object} 就活着。")
        }
        Event::Copy { from, into, len, object } => {
            format!("{into} 得到 {from}[:{len}] 的副本，有自己的数组 {object}：不再留住旧数组。")
        }
        Event::Special { object, kind: "finalizer" } => {
            format!("runtime.SetFinalizer({object}, f)：GC 发现它已死时，要为 f 留住它，下一轮才释放。")
        }
        Event::Special { object, kind: "cleanup" } => {
            format!("runtime.AddCleanup({object}, f, arg)：f 在对象消失之后运行，所以不会留住它。")
        }
        Event::Special { object, kind } => format!("{object} 有了 {kind}，它不会留住对象。"),
        Event::Revived { objects } => {
            format!("{} 已死，但有 finalizer：为此留住，下一轮才释放。", names(objects))
        }
        Event::Finalized { objects } => {
            format!("finalizer 已运行：不再有什么留住 {}。", names(objects))
        }
        _ => return None,
    })
}

fn of_loads(event: &Event) -> Option<String> {
    Some(match event {
        Event::ShownSmall { factor } => {
            format!(
                "缩小显示：场景里的数量和键都除以 {factor}，每样至少留一个。对象大小不变，所以堆很少达到触发点，GC 多半由程序自己要求。"
            )
        }
        Event::Repeat { times, shown } => format!("循环开始：共 {times} 轮，显示 {shown} 轮。"),
        Event::Serve { requests, shown, objects, objects_shown } => format!(
            "请求开始：共 {requests} 个，显示 {shown} 个；每个请求的 {objects} 个短命对象显示 {objects_shown} 个。到达时间和耗时不显示。"
        ),
        Event::Request { number, dropped } => {
            format!("请求 {number} 完成：它自己用的对象（{dropped} 个）成为垃圾。")
        }
        Event::Stream { duration_ns, made, shown } => format!(
            "一段 {} 的分配流开始：共 {made} 个对象，按顺序显示 {shown} 个。速率随时间的变化不显示。",
            time(*duration_ns)
        ),
        Event::Goroutines { count, shown, stack_bytes, pages } => format!(
            "{count} 个 goroutine 启动并等待，显示 {shown} 个。每个栈 {}：占用 {pages} 个页，这些页不放对象。",
            size(*stack_bytes)
        ),
        Event::Exit { count, pages, waiting_pages: 0 } => {
            format!("{count} 个 goroutine 返回：{pages} 个栈页空闲。它们的描述符永远留在堆外。")
        }
        Event::Exit { count, pages, waiting_pages } => format!(
            "{count} 个 goroutine 返回：{pages} 个栈页空闲，还有 {waiting_pages} 个要等下一轮 GC 结束。它们的描述符永远留在堆外。"
        ),
        Event::Sleep { duration_ns } => format!(
            "程序睡眠 {}，回收器继续工作。后台 scavenger 在这段时间归还的内存不显示。",
            time(*duration_ns)
        ),
        Event::Compute { duration_ns } => {
            format!("程序计算 {}，不分配内存。这里不显示时间，所以没有变化。", time(*duration_ns))
        }
        Event::OnTheStack { calls } => {
            format!("{} 次调用返回值：所造之物在栈上，堆没有变化。", calls)
        }
        Event::SetGogc { percent, goal_bytes } => format!(
            "GOGC 现在是 {}，目标是 {}。",
            percent.map_or_else(|| "关闭".to_owned(), |percent| percent.to_string()),
            size_or(*goal_bytes, "关闭")
        ),
        Event::SetMemoryLimit { limit_bytes, goal_bytes } => format!(
            "GOMEMLIMIT 现在是 {}，目标是 {}。",
            size_or(*limit_bytes, "关闭"),
            size_or(*goal_bytes, "关闭")
        ),
        _ => return None,
    })
}

fn of_collector(event: &Event) -> Option<String> {
    Some(match event {
        Event::Begin => "程序开始，堆上什么都没有。".to_owned(),
        Event::End => "程序结束。".to_owned(),
        Event::CycleBegins { number, cause, live_bytes, trigger_bytes, roots } => {
            let why = match cause {
                Cause::Heap => {
                    format!("自动开始：活跃堆 {} 达到触发点 {}", size(*live_bytes), size(*trigger_bytes))
                }
                Cause::Time => "开始，因为已有两分钟没有 GC".to_owned(),
                Cause::Forced => "开始，因为调用了 runtime.GC()，调用者等待".to_owned(),
            };
            format!("第 {number} 次 GC {why}。写屏障打开，有 {roots} 个根要查看。")
        }
        Event::Root { var, greyed, blackened } => match found(greyed, blackened) {
            Some(found) => format!("查看根 {}：{found}。", variable(var)),
            None => format!("查看根 {}：它指向的对象已经找到过。", variable(var)),
        },
        Event::Scan { objects, greyed, blackened } => match found(greyed, blackened) {
            Some(found) => format!("查看 {}，它变黑：{found}。", names(objects)),
            None => format!("查看 {}，它变黑：没有通向新的对象。", names(objects)),
        },
        Event::Barrier { place, overwritten, stored, greyed } if greyed.is_empty() => format!(
            "写屏障：{} 中的 {} 被 {} 替换。两者都不是白色，无事可做。",
            variable(place),
            or_nil(overwritten),
            or_nil(stored)
        ),
        Event::Barrier { place, overwritten, stored, greyed } => format!(
            "写屏障：标记期间，{} 中的 {} 被 {} 替换，两者都不能留白。变灰：{}。",
            variable(place),
            or_nil(overwritten),
            or_nil(stored),
            names(greyed)
        ),
        Event::CycleEnds { number, marked_bytes, marked, dead, goal_bytes } => format!(
            "第 {number} 次 GC：没有灰色对象，标记结束。{marked} 个对象存活（{}），{dead} 个死亡。下一个目标是 {}。",
            size(*marked_bytes),
            size_or(*goal_bytes, "关闭")
        ),
        Event::Sweep { freed: 0, kept, .. } => {
            format!("清扫一个 span：{kept} 个对象全部存活，没有槽位空出。")
        }
        Event::Sweep { kept: 0, freed_pages, .. } => {
            format!("清扫一个 span：没有存活对象，{freed_pages} 个页空闲。它们仍然驻留：RSS 不下降。")
        }
        Event::Sweep { freed, kept, .. } => {
            format!("清扫一个 span：空出 {freed} 个槽位，{kept} 个存活对象留住它的页。")
        }
        Event::Swept => "所有 span 清扫完毕：这轮 GC 结束。".to_owned(),
        Event::Scavenge { pages } => {
            format!("空闲页归还系统：其中 {pages} 个背后有内存。现在 RSS 下降。")
        }
        Event::Snapshot { label } => format!("程序查看内存：{label}。"),
        _ => return None,
    })
}
