// The data of the timelines, as tools/html/timeline.h writes them, and how times are written.
const timelineData = (function () {
  'use strict';

  function decode(base64) {
    const text = atob(base64);
    let at = 0;
    // Shifts would be of 32 bits.
    function number() {
      let value = 0;
      for (let factor = 1; ; factor *= 128) {
        const byte = text.charCodeAt(at++);
        value += (byte & 127) * factor;
        if (byte < 128) return value;
        if (at > text.length) throw new Error('the data of a timeline are cut short');
      }
    }
    function signed() {
      const value = number();
      return value % 2 ? -(value + 1) / 2 : value / 2;
    }
    if (number() !== 1) throw new Error('a timeline of another version');
    const threads = [];
    for (let left = number(); left > 0; left--) {
      const segments = [];
      let last = 0;
      for (let count = number(); count > 0; count--) {
        const how = text.charCodeAt(at++);
        const s = {began: how & 3, ended: how >> 2 & 7, gil: how >> 5 & 3};
        s.run = last + signed();
        s.ready = s.began === 0 ? null : s.run - number();
        s.end = s.run + number();
        s.cpu = number();
        s.previous = number() - 1;
        if (s.began === 1) {
          s.waker = number();
          s.wakerCpu = number() - 1;
          s.placed = number() - 1;
        }
        s.counts = how & 128 ? [number(), number(), number(), number(), number()] : [0, 0, 0, 0, 0];
        s.wasted = s.began === 1 && s.ended === 1 && s.counts[0] === 0;
        last = s.end;
        segments.push(s);
      }
      threads.push(segments);
    }
    return threads;
  }

  // The thread's states, each with its beginning and end: within segments, and between them.
  function stretches(segments, length) {
    const all = [];
    function add(from, to, state, segment, off) {
      if (to > 0 && from < length && to > from) all.push({from, to, state, segment, off});
    }
    let before = 0;
    segments.forEach(function (s, i) {
      const held = s.counts[0] > 0 || s.gil === 2 || before === 2;
      const state = held ? 'holding' : s.gil === 1 || before === 1 ? 'waiting' : 'running';
      add(s.run, s.end, state, s, false);
      const next = segments[i + 1];
      const end = next ? next.run : length;
      const ready = next && next.ready !== null ? Math.max(next.ready, s.end) : end;
      if (s.ended === 0) {
        add(s.end, end, 'preempted', s, true);
      } else if (s.ended < 3) {
        add(s.end, ready, s.ended === 1 ? 'asleep' : 'blocked', s, true);
        if (next) add(ready, end, 'woken', next, true);
      }
      before = s.gil;
    });
    return all;
  }

  function duration(ns) {
    const size = Math.abs(ns);
    if (size < 999.5) return ns.toFixed(0) + ' ns';
    const units = ['us', 'ms', 's'];
    let value = ns / 1000, unit = 0;
    while (Math.abs(value) >= 999.5 && unit < 2) {
      value /= 1000;
      unit++;
    }
    return value.toPrecision(3) + ' ' + units[unit];
  }

  // Exact enough to tell neighbours apart.
  function instant(ns) { return (ns / 1000).toFixed(1) + ' us'; }

  return {decode, stretches, duration, instant};
})();
