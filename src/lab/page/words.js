// Every word of the page, in English and Chinese.

const WORDS = {
  en: {
    skip: 'Skip to the chart',
    views: 'Views', tab_run: 'Run', tab_step: 'Step', tab_lesson: 'Lessons',
    share: 'Copy link', shared: 'The link is copied: it restores everything you see.', share_failed: 'The link is in the address bar.',
    theme: 'Light or dark', settings: 'Scenario and settings',
    scenario: 'Scenario', own_scenario: '{name}, changed', go_version: 'Go version', seed: 'Seed', madvise: 'Pages go back with',
    off: 'off', reset: 'As in the file', pin: 'Pin this run', unpin: 'Unpin', changed: 'changed',
    program: 'The program (TOML)', restore: 'Undo my changes', answer: 'The answer',
    mistakes_none: '', line_column: 'line {line}:{column}', accepted: 'accepted: {what}',
    cut: 'Not simulated', running: 'Simulating …',
    zoom_in: 'Zoom in at the cursor', zoom_out: 'Zoom out', zoom_all: 'All',
    totals: 'Totals', snapshots: 'Snapshots', snapshot: 'Snapshot', time: 't',
    more_snapshots: '{shown} of {count} snapshots', 
    at: 'At {time}', of_step: 'in: {step}',
    rss: 'RSS', heap_alloc: 'HeapAlloc', goal: 'Heap goal', trigger: 'Trigger', limit: 'GOMEMLIMIT', container: 'Container limit',
    marking: 'marking', pinned: 'pinned', now: 'now', difference: 'difference',
    rss_owners: 'Who owns each resident byte', sum: 'RSS, the sum',
    marked: 'live at last GC', fresh: 'new since last GC', dead: 'garbage, not yet swept', waste: 'gaps in used spans',
    free: 'free, kept by Go', lazily_freed: 'free, OS may take it', stack: 'stacks', metadata: 'runtime', binary: 'code and globals',
    other: 'runtime, stacks, code',
    heap_inuse: 'HeapInuse', heap_idle: 'HeapIdle', heap_released: 'HeapReleased', heap_live: 'live heap (pacer)', sys: 'Sys', num_gc: 'NumGC',
    total_time: 'virtual time', total_cycles: 'GC cycles', total_cpu: 'CPU in GC', peak_heap: 'peak HeapAlloc', peak_rss: 'peak RSS',
    final_rss: 'final RSS', longest_pause: 'longest pause', total_alloc: 'allocated', p99: 'p99 latency',
    oom: 'Killed at {time}: {rss} of {limit}, in: {step}',
    chart_label: 'Memory over time. Arrow keys move the cursor, Home and End go to the ends, plus and minus zoom.',
    chart_value: 'At {time}: RSS {rss}, HeapAlloc {heap}. {owners}',
    cycle_at: 'GC {number}, {kind}: {heap_start} → {heap_end}, {marked} live',
    kind_heap: 'by the heap', kind_time: 'after two idle minutes', kind_forced: 'forced',
    own_scale: 'each step has its own time scale',
    mistakes_found: '{count}: nothing was run', mistakes_where: 'Nothing was run. Each mistake is listed beside the program, and underlined in it.',
    bad_link: 'The address holds a scenario that cannot be read.',
    step_transport: 'Forward and back', step_position: 'Event', step_first: 'To the beginning (Home)', step_back: 'One back (left arrow)', step_play: 'Play or pause (space)',
    step_forward: 'One forward (right arrow)', step_last: 'To the end (End)', step_count: 'event {at} of {last}', step_heap: 'The heap', step_queue: 'Grey queue', step_maps: 'The map, slot by slot',
    step_program: 'Program', step_gogc: 'GOGC', step_pacer: 'The pacer', step_pages: 'Pages of 8 KiB', step_events: 'What happens', step_stack: 'stack', step_empty: 'empty', step_lost: 'no variable leads here', step_queue_empty: 'empty: nothing is left to look at',
    step_slow: 'the collector does one thing for each thing that the program does: far slower than in Go, to be watched',
    phase_idle: 'no cycle is running', phase_sweeping: 'marking is over: sweeping', 
    color_resting: 'no cycle', color_white: 'white: not found yet', color_grey: 'grey: found, to be looked at', color_black: 'black: looked at, survives', color_dead: 'dead: not found, to be swept',
    slot_empty: 'empty', slot_tombstone: 'tombstone', map_none: 'There is no map now.', map_more: 'and {count} more', map_buckets: '{var}: keys: {len}, buckets of 8 slots: {count}.', map_groups: '{var}: keys: {len}, groups of 8 slots: {count}.',
    map_tombstones: 'Tombstones: {count}.', map_growing: 'It is moving into a larger array.',
    step_made: 'Made for stepping', step_small: 'Other scenarios, shown small', step_factor: 'shown small, counts divided by {factor}', page_stack: 'stacks', page_more: '… and {count} pages more.',
    page_used: 'in use, by span', page_free: 'free, still resident', page_none: 'no memory behind it', page_resident: 'Resident {resident} for {alloc} of objects.',
    pacer_marked: 'marked', pacer_live: 'live heap', pacer_trigger: 'trigger', pacer_goal: 'goal',
    lesson_choose: 'Lessons', lesson_how: 'Each asks a question, has you predict the answer, and lets the simulation decide.', lesson_number: 'Lesson {number}: {title}',
    lesson_predict: 'Your prediction', lesson_guess: 'Your number', lesson_run: 'Run it', lesson_right: 'Right: {answer}.', lesson_wrong: 'Not quite. In this run: {answer}.',
    lesson_open: 'Open this run', lesson_numbers: 'The numbers', lesson_why: 'Why', lesson_production: 'In production', lesson_try: 'Try it at home', lesson_program: 'The Go program',
    lesson_copy: 'Copy the program', lesson_sources: 'Sources', lesson_before: '← {title}', lesson_next: '{title} →',
  },
  zh: {
    skip: '跳到图表',
    views: '视图', tab_run: '运行', tab_step: '单步', tab_lesson: '课程',
    share: '复制链接', shared: '链接已复制：它会还原你看到的一切。', share_failed: '链接在地址栏里。',
    theme: '浅色或深色', settings: '场景与设置',
    scenario: '场景', own_scenario: '{name}（已修改）', go_version: 'Go 版本', seed: '随机种子', madvise: '归还页面的方式',
    off: '关闭', reset: '恢复文件设置', pin: '固定这次运行', unpin: '取消固定', changed: '已改',
    program: '程序（TOML）', restore: '撤销我的修改', answer: '答案',
    mistakes_none: '', line_column: '第 {line} 行第 {column} 列', accepted: '可接受：{what}',
    cut: '未能模拟', running: '正在模拟……',
    zoom_in: '在光标处放大', zoom_out: '缩小', zoom_all: '全部',
    totals: '汇总', snapshots: '快照', snapshot: '快照', time: '时刻',
    more_snapshots: '共 {count} 个快照，显示 {shown} 个',
    at: '时刻 {time}', of_step: '步骤：{step}',
    rss: 'RSS', heap_alloc: 'HeapAlloc', goal: '堆目标', trigger: '触发点', limit: 'GOMEMLIMIT', container: '容器上限',
    marking: '标记中', pinned: '已固定', now: '现在', difference: '差异',
    rss_owners: '每个驻留字节属于谁', sum: 'RSS（合计）',
    marked: '上次 GC 时存活', fresh: '上次 GC 后新分配', dead: '垃圾，尚未清扫', waste: '在用 span 的空隙',
    free: '空闲，Go 留着', lazily_freed: '空闲，系统可取走', stack: '栈', metadata: '运行时', binary: '代码与全局变量',
    other: '运行时、栈、代码',
    heap_inuse: 'HeapInuse', heap_idle: 'HeapIdle', heap_released: 'HeapReleased', heap_live: '活跃堆（pacer）', sys: 'Sys', num_gc: 'NumGC',
    total_time: '虚拟时间', total_cycles: 'GC 次数', total_cpu: 'GC 占 CPU', peak_heap: 'HeapAlloc 峰值', peak_rss: 'RSS 峰值',
    final_rss: '最终 RSS', longest_pause: '最长停顿', total_alloc: '总分配', p99: 'p99 延迟',
    oom: '在 {time} 被杀死：{rss} 超过 {limit}，步骤：{step}',
    chart_label: '内存随时间的变化。方向键移动光标，Home 和 End 到两端，加号和减号缩放。',
    chart_value: '时刻 {time}：RSS {rss}，HeapAlloc {heap}。{owners}',
    cycle_at: 'GC {number}（{kind}）：{heap_start} → {heap_end}，存活 {marked}',
    kind_heap: '堆触发', kind_time: '空闲两分钟后', kind_forced: '强制',
    own_scale: '每个步骤有自己的时间刻度',
    mistakes_found: '{count}：没有运行', mistakes_where: '没有运行。错误列在程序旁边，并在程序里划出。',
    bad_link: '地址里的场景读不出来。',
    step_transport: '前进与后退', step_position: '事件', step_first: '回到开头（Home）', step_back: '后退一步（左方向键）', step_play: '播放或暂停（空格）',
    step_forward: '前进一步（右方向键）', step_last: '到结尾（End）', step_count: '事件 {at} / {last}', step_heap: '堆', step_queue: '灰色队列', step_maps: 'map 的每个槽位',
    step_program: '程序', step_gogc: 'GOGC', step_pacer: 'pacer', step_pages: '8 KiB 的页', step_events: '发生了什么', step_stack: '栈', step_empty: '空', step_lost: '没有变量通向这里', step_queue_empty: '空：没有要查看的对象了',
    step_slow: '程序每做一件事，回收器做一件事：比真实的 Go 慢得多，便于观察',
    phase_idle: '没有 GC 在运行', phase_sweeping: '标记已结束：正在清扫',
    color_resting: '无 GC', color_white: '白：尚未找到', color_grey: '灰：已找到，待查看', color_black: '黑：已查看，存活', color_dead: '死：未找到，待清扫',
    slot_empty: '空', slot_tombstone: '墓碑', map_none: '现在没有 map。', map_more: '还有 {count} 个', map_buckets: '{var}：{len} 个键，{count} 个桶，每桶 8 个槽位。', map_groups: '{var}：{len} 个键，{count} 个组，每组 8 个槽位。',
    map_tombstones: '墓碑：{count}。', map_growing: '正在搬到更大的数组。',
    step_made: '为单步而写', step_small: '其他场景（缩小显示）', step_factor: '缩小显示，数量除以 {factor}', page_stack: '栈', page_more: '……还有 {count} 页。',
    page_used: '在用（所属 span）', page_free: '空闲，仍驻留', page_none: '背后没有内存', page_resident: '对象共 {alloc}，驻留 {resident}。',
    pacer_marked: '已标记', pacer_live: '活跃堆', pacer_trigger: '触发点', pacer_goal: '目标',
    lesson_choose: '课程', lesson_how: '每课提一个问题，请你预测答案，再由模拟来判定。', lesson_number: '第 {number} 课：{title}',
    lesson_predict: '你的预测', lesson_guess: '你的数字', lesson_run: '运行', lesson_right: '正确：{answer}。', lesson_wrong: '不对。这次运行的结果：{answer}。',
    lesson_open: '打开这次运行', lesson_numbers: '数字', lesson_why: '为什么', lesson_production: '在生产环境', lesson_try: '在家试试', lesson_program: 'Go 程序',
    lesson_copy: '复制程序', lesson_sources: '来源', lesson_before: '← {title}', lesson_next: '{title} →',
  },
};

let language = 'en';

/** Chooses a language; `true` if it is known. */
export function speak(name) {
  if (!(name in WORDS)) return false;
  language = name;
  document.documentElement.lang = name === 'zh' ? 'zh-CN' : 'en';
  return true;
}

/** The language that is spoken. */
export function spoken() {
  return language;
}

/** The words for a key, with `{name}` filled in. */
export function word(key, values = {}) {
  const text = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Fills in every element that names its words. */
export function translate(root) {
  for (const element of root.querySelectorAll('[data-word]')) element.textContent = word(element.dataset.word);
  for (const element of root.querySelectorAll('[data-label]')) element.setAttribute('aria-label', word(element.dataset.label));
}
