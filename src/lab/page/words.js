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
    mistakes_found: '{count}: nothing was run',
    bad_link: 'The address holds a scenario that cannot be read.',
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
    mistakes_found: '{count}：没有运行',
    bad_link: '地址里的场景读不出来。',
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
