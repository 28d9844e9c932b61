// Draws the timelines, the only part of a page that needs a script. tools/html/timeline_data.js
// decodes them. Text from the report goes into the page as text, never as markup.
(function () {
  'use strict';

  const {decode, stretches, duration, instant} = timelineData;
  const BEGAN = ['by entering', 'woken', 'after a preemption'];
  const ENDED = ['preempted', 'asleep, waiting for the GIL', 'blocked elsewhere', 'left', 'died'];
  const GIL = ['outside the GIL', 'waiting for the GIL', 'holding the GIL'];
  // Each state has its own height, as a share of the row, so that it can be told without its colour.
  const STATES = {
    holding: {label: 'running, holding the GIL', height: 1, colour: '--holding'},
    running: {label: 'running, outside the GIL', height: 1, colour: '--outside', hollow: true},
    waiting: {label: 'running, finds the GIL taken', height: 0.6, colour: '--waiting'},
    preempted: {label: 'preempted', height: 0.36, colour: '--preempted'},
    woken: {label: 'woken, waiting for a CPU', height: 0.36, colour: '--woken', hollow: true},
    asleep: {label: 'asleep, waiting for the GIL', height: 0.14, colour: '--waiting'},
    blocked: {label: 'blocked elsewhere', height: 0.05, colour: '--blocked'},
  };

  function ended(segment) {
    return ENDED[segment.ended] + (segment.ended === 1 ? '' : ', ' + GIL[segment.gil]);
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  class Timeline {
    constructor(figure) {
      this.figure = figure;
      this.length = Number(figure.dataset.length);
      this.names = Array.from(figure.querySelectorAll('ol li'), function (li) { return li.textContent; });
      this.threads = decode(figure.querySelector('script').textContent);
      this.rows = this.threads.map((segments) => stretches(segments, this.length));
      this.from = 0;
      this.to = this.length;
      this.picked = null;  // {row, index}
      this.build();
      this.draw();
    }

    build() {
      const bar = element('div', 'bar');
      const button = (text, label, act) => {
        const made = element('button', '', text);
        made.type = 'button';
        made.setAttribute('aria-label', label);
        made.title = label;
        made.addEventListener('click', () => { act(); this.draw(); });
        bar.append(made);
      };
      button('+', 'Zoom in', () => this.zoom(0.5));
      button('\u2212', 'Zoom out', () => this.zoom(2));
      button('\u2190', 'Earlier', () => this.pan(-0.4));
      button('\u2192', 'Later', () => this.pan(0.4));
      button('all', 'Show everything', () => this.show(0, this.length));
      this.range = element('output', 'range');
      bar.append(this.range);
      const box = element('div', 'canvas');
      this.canvas = element('canvas');
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute('role', 'img');
      this.canvas.setAttribute('aria-label', this.figure.querySelector('figcaption').textContent +
          ' Keys: plus and minus zoom, left and right move, 0 shows everything, up and down choose a ' +
          'thread, comma and full stop go to the previous and next period.');
      this.tip = element('div', 'tip');
      this.tip.hidden = true;
      this.tip.setAttribute('role', 'status');
      this.selection = element('div', 'selection');
      this.selection.hidden = true;
      box.append(this.canvas, this.selection, this.tip);
      const hint = element('p', 'hint', 'Drag to zoom in, double-click to show everything; after a click, ' +
          'the wheel zooms. Keys: + \u2212 \u2190 \u2192 0, and , . for the previous and next period.');
      this.figure.append(bar, box, this.legend(), hint);
      this.listen();
    }

    legend() {
      const list = element('ul', 'legend');
      for (const name of Object.keys(STATES)) {
        const item = element('li', '', STATES[name].label);
        item.prepend(element('span', 'swatch ' + name));
        list.append(item);
      }
      const wasted = element('li', '', 'wasted wakeup');
      wasted.prepend(element('span', 'swatch wasted', '\u25bc'));
      list.append(wasted);
      return list;
    }

    listen() {
      const canvas = this.canvas;
      let down = null;
      const x = (event) => event.clientX - canvas.getBoundingClientRect().left;
      const y = (event) => event.clientY - canvas.getBoundingClientRect().top;
      canvas.addEventListener('wheel', (event) => {
        // Over a timeline without focus, the wheel scrolls the page.
        if (document.activeElement !== canvas && !event.ctrlKey) return;
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.time(x(event)));
        this.draw();
      }, {passive: false});
      canvas.addEventListener('pointerdown', (event) => {
        down = x(event);
        canvas.setPointerCapture(event.pointerId);
      });
      canvas.addEventListener('pointermove', (event) => {
        if (down === null) return this.point(x(event), y(event));
        this.selection.hidden = Math.abs(x(event) - down) < 4;
        this.selection.style.left = Math.min(x(event), down) + 'px';
        this.selection.style.width = Math.abs(x(event) - down) + 'px';
      });
      const up = (event) => {
        const from = down;
        down = null;
        this.selection.hidden = true;
        if (from === null) return;
        if (Math.abs(x(event) - from) < 4) return this.point(x(event), y(event));
        this.show(this.time(Math.min(x(event), from)), this.time(Math.max(x(event), from)));
        this.draw();
      };
      canvas.addEventListener('pointerup', up);
      canvas.addEventListener('pointercancel', () => { down = null; this.selection.hidden = true; });
      canvas.addEventListener('pointerleave', () => { if (down === null) this.tip.hidden = true; });
      canvas.addEventListener('dblclick', () => { this.show(0, this.length); this.draw(); });
      canvas.addEventListener('keydown', (event) => {
        const keys = {
          '+': () => this.zoom(0.5), '=': () => this.zoom(0.5), '-': () => this.zoom(2),
          'ArrowLeft': () => this.pan(-0.25), 'ArrowRight': () => this.pan(0.25),
          '0': () => this.show(0, this.length), 'Home': () => this.show(0, this.length),
          ',': () => this.step(0, -1), '.': () => this.step(0, 1),
          'ArrowUp': () => this.step(-1, 0), 'ArrowDown': () => this.step(1, 0),
          'Escape': () => { this.tip.hidden = true; this.picked = null; },
        };
        const act = keys[event.key];
        if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        act();
        this.draw();
      });
    }

    show(from, to) {
      const least = Math.min(1000, this.length);  // below a microsecond there is nothing to see
      const span = Math.min(Math.max(to - from, least), this.length);
      this.from = Math.min(Math.max(from, 0), this.length - span);
      this.to = this.from + span;
    }
    zoom(factor, at) {
      const around = at === undefined ? (this.from + this.to) / 2 : at;
      this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
    }
    pan(share) {
      const by = (this.to - this.from) * share;
      const from = Math.min(Math.max(this.from + by, 0), this.length - (this.to - this.from));
      this.show(from, from + this.to - this.from);
    }

    left() { return this.width < 500 ? 74 : 120; }
    x(time) {
      return this.left() + (time - this.from) / (this.to - this.from) * (this.width - this.left());
    }
    time(x) {
      const share = (x - this.left()) / (this.width - this.left());
      return this.from + Math.min(Math.max(share, 0), 1) * (this.to - this.from);
    }

    draw() {
      const canvas = this.canvas, count = this.rows.length;
      const row = this.row = count <= 8 ? 30 : count <= 24 ? 20 : 12;
      this.width = canvas.clientWidth || canvas.parentElement.clientWidth;
      const height = count * row + 26, ratio = window.devicePixelRatio || 1;
      canvas.style.height = height + 'px';
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(height * ratio);
      const style = getComputedStyle(document.documentElement);
      const colour = (name) => style.getPropertyValue(name).trim();
      const ink = colour('--ink'), faint = colour('--line');
      const c = canvas.getContext('2d');
      c.scale(ratio, ratio);
      c.clearRect(0, 0, this.width, height);
      c.font = (row > 14 ? 12 : 10) + 'px ' + (style.getPropertyValue('--sans').trim() || 'sans-serif');
      c.textBaseline = 'middle';
      this.drawAxis(c, count * row, ink, faint);
      c.save();
      c.beginPath();
      c.rect(this.left(), 0, this.width - this.left(), height);
      c.clip();
      this.rows.forEach((all, i) => this.drawRow(c, all, i * row, row, colour, ink));
      c.restore();
      c.fillStyle = ink;
      this.names.forEach((name, i) => {
        let shown = name;
        while (shown.length > 1 && c.measureText(shown).width > this.left() - 8) {
          shown = shown.replace(/\u2026$/, '').slice(0, -1) + '\u2026';
        }
        c.fillText(shown, 2, i * row + row / 2);
      });
      canvas.dataset.from = this.from;
      canvas.dataset.to = this.to;
      this.range.textContent = duration(this.from) + ' to ' + duration(this.to) + ' (' +
          duration(this.to - this.from) + ' shown)';
    }

    drawAxis(c, bottom, ink, faint) {
      const span = this.to - this.from;
      let step = Math.pow(10, Math.floor(Math.log10(span / (this.width < 500 ? 3 : 7))));
      const most = this.width < 500 ? 4 : 9;
      for (const factor of [1, 2, 5, 10]) {
        if (span / (step * factor) <= most) { step *= factor; break; }
      }
      c.textAlign = 'center';
      for (let tick = Math.ceil(this.from / step) * step; tick <= this.to; tick += step) {
        const at = Math.round(this.x(tick)) + 0.5;
        c.strokeStyle = faint;
        c.beginPath();
        c.moveTo(at, 0);
        c.lineTo(at, bottom + 4);
        c.stroke();
        c.fillStyle = ink;
        const label = duration(tick).replace(/(\.\d*?)0+(?= )/, '$1').replace(/\.(?= )/, '');
        const half = c.measureText(label).width / 2;
        c.fillText(label, Math.min(at, this.width - half - 1), bottom + 15);
      }
      c.textAlign = 'left';
    }

    drawRow(c, all, top, row, colour, ink) {
      const room = row - 8, middle = top + 5 + room / 2;
      for (const one of all) {
        if (one.to < this.from || one.from > this.to) continue;
        const state = STATES[one.state];
        const from = Math.max(this.x(one.from), this.left() - 2);
        const to = Math.min(this.x(one.to), this.width + 2);
        const width = Math.max(to - from, 0.7), high = Math.max(room * state.height, 1);
        c.fillStyle = c.strokeStyle = colour(state.colour);
        if (state.hollow && width > 3) {
          c.globalAlpha = 0.25;
          c.fillRect(from, middle - high / 2, width, high);
          c.globalAlpha = 1;
          c.strokeRect(from + 0.5, middle - high / 2 + 0.5, width - 1, high - 1);
        } else {
          c.fillRect(from, middle - high / 2, width, high);
        }
        if (!one.off && width > 46 && row > 14) {
          c.fillStyle = state.hollow || state.height < 1 ? ink : colour('--paper');
          if (state.height === 1) c.fillText('CPU ' + one.segment.cpu, from + 4, middle);
        }
        if (this.picked && this.picked.stretch === one) {
          c.strokeStyle = ink;
          c.lineWidth = 2;
          c.strokeRect(from, top + 3, width, row - 4);
          c.lineWidth = 1;
        }
      }
      c.fillStyle = colour('--wasted');
      for (const one of all) {
        if (one.off || !one.segment.wasted || one.to < this.from || one.from > this.to) continue;
        const at = this.x(one.from);
        c.beginPath();
        c.moveTo(at - 3.5, top);
        c.lineTo(at + 3.5, top);
        c.lineTo(at, top + 5);
        c.fill();
      }
    }

    // The period under the pointer, or within 3 pixels of it.
    at(x, y) {
      const row = Math.floor(y / this.row);
      if (row < 0 || row >= this.rows.length || x < this.left()) return null;
      let best = null, away = 3;
      for (const one of this.rows[row]) {
        const from = this.x(one.from), to = this.x(one.to);
        const distance = x < from ? from - x : x > to ? x - to : 0;
        if (distance < away || (distance === 0 && away === 0 && !one.off)) {
          best = one;
          away = distance;
        }
      }
      return best ? {row, stretch: best} : null;
    }

    point(x, y) {
      this.picked = this.at(x, y);
      this.draw();
      if (this.picked) this.tell(x, y);
      else this.tip.hidden = true;
    }

    step(rows, along) {
      let row = this.picked ? this.picked.row + rows : 0;
      row = Math.min(Math.max(row, 0), this.rows.length - 1);
      const all = this.rows[row];
      if (!all.length) return;
      let index = this.picked ? all.indexOf(this.picked.stretch) : -1;
      if (index < 0) {
        const middle = this.picked ? this.picked.stretch.from : this.from;
        index = Math.max(all.findIndex((one) => one.to > middle), 0);
      } else {
        index = Math.min(Math.max(index + along, 0), all.length - 1);
      }
      this.picked = {row, stretch: all[index]};
      const one = all[index];
      if (one.to < this.from || one.from > this.to) {
        const half = (this.to - this.from) / 2;
        this.show(one.from - half, one.from + half);
      }
      this.draw();
      this.tell(Math.max(this.x(one.from), this.left()), row * this.row + this.row / 2);
    }

    lines(picked) {
      const one = picked.stretch, s = one.segment;
      const cpu = (n) => n < 0 ? 'an unknown CPU' : 'CPU ' + n;
      const lines = [STATES[one.state].label + ', ' + duration(one.to - one.from)];
      if (one.off && one.state !== 'woken') {
        lines.push('from ' + instant(one.from) + ' to ' + instant(one.to));
        lines.push('since it was ' + ended(s));
        return lines;
      }
      lines.push('ran ' + duration(s.end - s.run) + ' on CPU ' + s.cpu + ', from ' + instant(s.run) +
          ' to ' + instant(s.end));
      lines.push('began ' + BEGAN[s.began] + (s.ready === null ? '' :
          s.began === 1 ? ', wake-to-run ' + duration(s.run - s.ready) :
          ', waited ' + duration(s.run - s.ready)));
      if (s.began === 1) {
        const waker = s.waker === 0 ? 'an unknown waker' : s.waker === 1 ? 'another process, or idle' :
            this.names[s.waker - 2];
        lines.push('woken by ' + waker + ' on ' + cpu(s.wakerCpu) + ', placed on ' + cpu(s.placed));
      }
      lines.push(s.previous < 0 ? 'first segment' : 'ran before on ' + cpu(s.previous));
      lines.push('ended ' + ended(s));
      lines.push('acquires ' + s.counts[0] + '; failed: contended ' + s.counts[1] + ', woken_lost ' +
          s.counts[2] + ', timed_out ' + s.counts[3] + '; drop requests ' + s.counts[4]);
      if (s.wasted) lines.push('a wasted wakeup');
      return lines;
    }

    tell(x, y) {
      this.tip.replaceChildren(element('b', '', this.names[this.picked.row] || ''));
      for (const line of this.lines(this.picked)) this.tip.append(element('div', '', line));
      this.tip.hidden = false;
      const room = this.canvas.parentElement.clientWidth, width = this.tip.offsetWidth;
      this.tip.style.left = Math.max(0, Math.min(x + 12, room - width)) + 'px';
      this.tip.style.top = y + 18 + 'px';
    }
  }

  const timelines = [];
  function start(figure) {
    if (figure.started || !figure.querySelector('script')) return;
    figure.started = true;
    timelines.push(new Timeline(figure));
  }
  // Draws a timeline only when it comes into view.
  const seen = new IntersectionObserver(function (entries) {
    for (const entry of entries) if (entry.isIntersecting) start(entry.target);
  }, {rootMargin: '400px'});
  for (const figure of document.querySelectorAll('figure.timeline')) seen.observe(figure);

  function redraw() {
    for (const timeline of timelines) if (timeline.canvas.clientWidth) timeline.draw();
  }
  addEventListener('resize', redraw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  document.addEventListener('toggle', redraw, true);

  // Opens all cells for printing, but not the definitions.
  let unfolded = [];
  addEventListener('beforeprint', function () {
    unfolded = Array.from(document.querySelectorAll('details.cell:not([open])'));
    for (const details of unfolded) details.open = true;
    for (const figure of document.querySelectorAll('figure.timeline')) start(figure);
    redraw();
  });
  addEventListener('afterprint', function () {
    for (const details of unfolded) details.open = false;
  });

  // Opens a definition that is linked to, for browsers that do not do so themselves.
  addEventListener('hashchange', function () {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.localName === 'details') at.open = true;
    if (target) target.scrollIntoView();
  });
})();
