// The script of the report: other candidates, masses, FASTA and pictures of chains, and the table of a
// repertoire. Without it, the page still has the maps, candidates and masses of up to 200 chains.
"use strict";

const constants = JSON.parse(document.getElementById("constants").textContent);
const MILLE = 1000;

// --- elements ------------------------------------------------------------------------------------

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const escaped = (text) => text.replace(/[&<>"']/g, (c) =>
  ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" })[c]);

function save(name, type, content) {
  const url = URL.createObjectURL(new Blob([content], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const fileName = (text) => text.replace(/[^A-Za-z0-9_.-]+/g, "_").slice(0, 80) || "chain";

// --- the data of a sample --------------------------------------------------------------------------

const decoded = (column, i) => column.values[column.index[i]];

function starts(counts) {
  const sums = new Int32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) sums[i + 1] = sums[i] + counts[i];
  return sums;
}

class Chains {
  constructor(columns) {
    this.columns = columns;
    const lines = (name) => (columns.gaps.length ? columns[name].split("\n") : []);
    const names = lines("name");
    this.names = columns.order.map((original) => names[original]);
    this.descriptions = lines("description");
    this.sequences = lines("sequence");
    this.otherLetters = columns.candidate.split("\n");
    this.gapStart = starts(columns.gaps);
    this.residueStart = starts(columns.residues);
    this.candidateStart = starts(columns.candidates);
    this.otherStart = starts(columns.candidates.map((n) => Math.max(n - 1, 0)));
    this.size = this.names.length;
    // Where the chain of each place in filled.fasta is in the columns.
    this.place = new Int32Array(this.size);
    columns.order.forEach((original, i) => { this.place[original] = i; });
  }

  static async read(block) {
    const text = atob(block.textContent), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Chains(JSON.parse(await new Response(stream).text()));
  }

  /** Chain `i` of the columns, as it was filled. */
  chain(i) {
    const c = this.columns;
    const gaps = [], residues = [], others = decoded(c.others, i), seen = decoded(c.spectra, i);
    let r = this.residueStart[i];
    for (let g = this.gapStart[i]; g < this.gapStart[i + 1]; g++) {
      const candidates = [], first = c.first[g], code = decoded(c.code, g);
      const [spectra, cleaved] = seen[g - this.gapStart[i]] ?? ["", []];
      const letters = (k) => (k ? this.otherLetters[this.otherStart[g] + k - 1]
        : this.sequences[i].slice(first - 1, first - 1 + c.length[g]));
      for (let k = this.candidateStart[g]; k < this.candidateStart[g + 1]; k++) {
        const rank = k - this.candidateStart[g];
        candidates.push({ letters: letters(rank), cleaved: cleaved[rank] ?? "", p: c.p[k], ppm: c.ppm[k], status: decoded(c.status, k) });
      }
      gaps.push({
        first, last: first + c.length[g] - 1, code, region: decoded(c.region, g),
        imgt: decoded(c.imgt, g), open: decoded(c.open, g), candidates, spectra,
      });
      for (let position = first; position < first + c.length[g]; position++, r++) {
        const at = (text) => (text[r] === "." ? "" : text[r]);
        residues.push({
          position, letter: this.sequences[i][position - 1], p: c.letter_p[r] * c.step,
          second: at(c.second), secondP: c.second_p[r] * c.step, germline: at(c.germline), truth: at(c.truth), code: code.charAt(position - first), others: others[r - this.residueStart[i]] ?? [],
        });
      }
    }
    return {
      name: this.names[i], description: this.descriptions[i], sequence: this.sequences[i],
      locus: decoded(c.locus, i), v: decoded(c.v, i), j: decoded(c.j, i), c: decoded(c.c, i),
      step: c.step, bands: decoded(c.bands, i), modifications: decoded(c.modifications, i),
      measured: decoded(c.measured, i), depths: decoded(c.depths, i), doubts: decoded(c.doubts, i), gaps, residues,
    };
  }
}

/** The chain with other candidates: `choice` has the number of the candidate by that of the gap. */
function withChoice(chain, choice) {
  if (!choice.size) return chain;
  let shift = 0, done = 0, sequence = "";
  const moved = [], residues = [], gaps = [], depths = [], gone = [];
  const byPosition = new Map(chain.residues.map((r) => [r.position, r]));
  chain.gaps.forEach((gap, g) => {
    const number = choice.get(g) ?? 0;
    const old = chain.sequence.slice(gap.first - 1, gap.last);
    const letters = number ? gap.candidates[number].letters : old;
    sequence += chain.sequence.slice(done, gap.first - 1) + letters;
    if (chain.depths.length) {
      const same = letters.length === old.length ? chain.depths.slice(gap.first - 1, gap.last) : Array(letters.length).fill(0);
      depths.push(...chain.depths.slice(done, gap.first - 1), ...same);
    }
    if (letters.length !== old.length) gone.push(gap);
    done = gap.last;
    for (let i = 0; i < letters.length; i++) {
      const was = letters.length === old.length ? byPosition.get(gap.first + i) : null;
      residues.push({ ...letterOf(letters[i], was, number ? gap.candidates[number] : null, gap.code),
        position: gap.first + shift + i });
    }
    gaps.push({ ...gap, first: gap.first + shift, last: gap.first + shift + letters.length - 1 });
    shift += letters.length - old.length;
    moved.push([gap.last, shift]);
  });
  sequence += chain.sequence.slice(done);
  depths.push(...chain.depths.slice(done));
  const after = (position) => moved.reduce((by, [last, now]) => (position > last ? now : by), 0);
  const bands = [];
  chain.bands.forEach(([region, first, last], i) => {
    const from = i && bands.length && chain.bands[i - 1][2] + 1 === first ? bands.at(-1)[2] + 1 : first + after(first);
    bands.push([region, from, last + after(last + 1)]);
  });
  const modifications = chain.modifications.map(([at, name, mass]) => [at + after(at), name, mass]);
  const doubts = chain.doubts.filter(([at]) => !gone.some((gap) => at >= gap.first && at <= gap.last))
    .map(([at, text, strong]) => [at + after(at), text, strong]);
  const measured = sequence === chain.sequence ? chain.measured : chain.measured.slice(0, 2);
  return { ...chain, sequence, residues, gaps, bands, modifications, measured, depths, doubts };
}

/** A residue of a gap; `was` is what the chain was filled with there, `candidate` what was chosen. */
function letterOf(letter, was, candidate, code) {
  if (!candidate || (was && was.letter === letter)) return was;
  const p = Math.floor(candidate.p * MILLE + 1e-6);
  if (!was) return { letter, p, second: "", secondP: 0, germline: "", truth: "", code, others: [], chosen: true };
  return {
    letter, p: was.second === letter ? was.secondP : p, second: was.letter, secondP: was.p,
    germline: was.germline === letter ? "" : was.germline, truth: was.truth === letter ? "" : was.truth,
    code, others: [], chosen: true,
  };
}

function levelOf(p) {
  const i = constants.levels.findIndex((least) => p >= least);
  return i < 0 ? constants.levels.length + 1 : i + 1;
}

// --- the map: the same as map.py draws -------------------------------------------------------------

const CELL = 15, GUTTER = 52, BAND = 25, BOX = 22, DEPTH = 14, ROW = 15, SPACE = 12, LETTER_WIDTH = 7.3;
const ROWS = [
  ["2nd", "c", (r) => (r.secondP >= constants.second ? r.second : "")],
  ["germ.", "g", (r) => (r.code ? "" : r.germline)],
  ["truth", "w", (r) => r.truth],
];

function drawMap(chain, columns = constants.columns) {
  const length = chain.sequence.length;
  const width = GUTTER + Math.min(columns, Math.max(length, 1)) * CELL + 4;
  let parts = "", y = 0;
  for (let start = 0; start < length; start += columns) {
    const [line, height] = drawLine(chain, start, Math.min(start + columns, length), y);
    parts += line;
    y += height;
  }
  const label = escaped(`${chain.name}: ${length} residues, ${chain.residues.length} of them filled`);
  return `<svg class="map" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" ` +
    `width="${width}" height="${y}" role="img" aria-label="${label}">${parts}</svg>`;
}

function drawLine(chain, start, stop, y) {
  const middle = (position) => GUTTER + (position - 1 - start) * CELL + 7;
  const letters = (kind, xs, at, text) =>
    (text ? `<text class="${kind}" x="${xs.join(" ")}" y="${at}">${escaped(text)}</text>` : "");
  let parts = drawBands(chain, start, stop, y);
  const top = y + BAND, base = top + 16;
  parts += `<text class="n" x="${GUTTER - 10}" y="${base}">${start + 1}</text>`;
  const here = chain.residues.filter((r) => r.position > start && r.position <= stop);
  const missing = new Set(here.map((r) => r.position));
  const observed = [];
  for (let i = start + 1; i <= stop; i++) if (!missing.has(i)) observed.push(i);
  parts += letters("o", observed.map(middle), base, observed.map((i) => chain.sequence[i - 1]).join(""));
  for (const r of here) {
    const x = middle(r.position), level = levelOf(r.p);
    const kind = `${r.code ? "u" : "b"} p${level}${r.chosen ? " chosen" : ""}`;
    parts += `<rect class="${kind}" x="${x - 7}" y="${top}" width="14" height="${BOX}" rx="2">` +
      `<title>${tooltip(r)}</title></rect>`;
    if (r.code) {
      parts += `<line class="s p${level}" x1="${x - 5}" x2="${x + 5}" y1="${top + 20}" y2="${top + 20}"/>`;
    } else if (level === 4) {
      parts += `<rect class="bar" x="${x - 7}" y="${top + 19}" width="14" height="3"/>`;
    }
  }
  for (let level = 1; level < 5; level++) {
    for (const [coded, kind] of [[false, "l"], [true, "k"]]) {
      const mine = here.filter((r) => levelOf(r.p) === level && Boolean(r.code) === coded);
      parts += letters(`${kind} p${level}`, mine.map((r) => middle(r.position)), base, mine.map((r) => r.letter).join(""));
    }
  }
  for (const [position, name, mass] of chain.modifications) {
    if (position > start && position <= stop) {
      const title = escaped(`${position} ${name || "modified"} ${mass < 0 ? "" : "+"}${mass.toFixed(4)} Da`);
      parts += `<circle class="m" cx="${middle(position)}" cy="${top}" r="2.5"><title>${title}</title></circle>`;
    }
  }
  for (const [position, text, strong] of chain.doubts) {
    if (position > start && position <= stop) {
      parts += `<path class="${strong ? "d" : "f"}" d="M${middle(position) - 4} ${top - 5}h8l-4 5.5z"><title>${escaped(text)}</title></path>`;
    }
  }
  let below = top + BOX;
  if (chain.depths.length) {
    below += DEPTH + 4;
    parts += `<text class="r" x="${GUTTER - 10}" y="${below - 3}">reads</text>`;
    const most = Math.max(...chain.depths);
    let bars = "";
    for (let position = start + 1; position <= stop; position++) {
      const depth = chain.depths[position - 1];
      if (depth > 0) {
        const height = Math.max(1, Math.floor(DEPTH * depth / most + 0.5));
        bars += `M${middle(position) - 6} ${below}v-${height}h12v${height}z`;
      }
    }
    parts += `<path class="h" d="${bars}"/>`;
  }
  for (const [name, kind, letterOfRow] of ROWS) {
    const mine = here.filter((r) => letterOfRow(r));
    if (!mine.length) continue;
    below += ROW;
    parts += `<text class="r" x="${GUTTER - 10}" y="${below - 3}">${name}</text>`;
    parts += letters(kind, mine.map((r) => middle(r.position)), below - 3, mine.map(letterOfRow).join(""));
  }
  return [parts, below + SPACE - y];
}

function drawBands(chain, start, stop, y) {
  let parts = "";
  for (const [region, bandFirst, bandLast] of chain.bands) {
    const first = Math.max(bandFirst, start + 1), last = Math.min(bandLast, stop);
    if (first > last) continue;
    const x = GUTTER + (first - 1 - start) * CELL, width = (last - first + 1) * CELL;
    const kind = region.startsWith("CDR") ? "cdr" : "fr", height = kind === "cdr" ? 5 : 2;
    parts += `<rect class="${kind}" x="${x}" y="${y + 19 - height}" width="${width - 2}" height="${height}"/>`;
    const text = [`${region} ${constants.numbers[region] ?? ""}`.trimEnd(), region].find((t) => t.length * LETTER_WIDTH <= width);
    if (text) parts += `<text class="t" x="${x}" y="${y + 11}">${escaped(text)}</text>`;
  }
  return parts;
}

function tooltip(r) {
  const share = (p) => (p / MILLE).toFixed(3);
  let text = `${r.position} ${r.letter === "X" ? "not filled" : `${r.letter} ${share(r.p)}`}`;
  if (r.code) text += `, was ${r.code}`;
  if (r.second) text += `; second ${r.second} ${share(r.secondP)}`;
  if (r.germline) text += `; germline ${r.germline}`;
  if (r.truth) text += r.truth === "-" ? "; the true gap has another length" : `; truth ${r.truth}`;
  return escaped(text);
}

/** How many residues a line there is room for. */
function columnsFor(box) {
  const room = Math.floor((box.clientWidth - GUTTER - 4) / CELL / 10) * 10;
  return Math.min(Math.max(room, 10), constants.columns);
}

/** A map that needs no style sheet, in light colours. */
function standalone(chain) {
  const sheet = document.querySelector("style").textContent;
  const between = (from, to) => sheet.slice(sheet.indexOf(from) + from.length, sheet.indexOf(to));
  const style = between("exported map is drawn in */", "/* end of light */").replace(":root", "svg") +
    between("/* map */", "/* end of map */");
  return drawMap(chain).replace(/<svg[^>]*>/, (tag) => `${tag}<style>${style}</style>` +
    '<rect width="100%" height="100%" fill="#fff"/>');
}

async function savePicture(chain) {
  const svg = standalone(chain);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await picture.decode();
  const canvas = make("canvas", { width: 2 * picture.width, height: 2 * picture.height });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(`${fileName(chain.name)}.png`, "image/png", blob));
}

// --- FASTA -----------------------------------------------------------------------------------------

/** A record of a chain. style: plain, lower (filled residues) or masked (X below `least`, 0 to 1). */
function fasta(chain, style, least) {
  const letters = [...chain.sequence];
  for (const r of chain.residues) {
    if (style === "lower") letters[r.position - 1] = r.letter.toLowerCase();
    else if (style === "masked" && r.p < least * MILLE) letters[r.position - 1] = "X";
  }
  return `>${chain.name}${chain.description ? ` ${chain.description}` : ""}\n${letters.join("")}\n`;
}

/** Tools that write chains as FASTA; `text(style, least)` is what they write. */
function fastaTools(name, text, changed = () => {}) {
  const style = make("select", { "aria-label": "Style of the FASTA" },
    make("option", { value: "plain" }, "as filled"),
    make("option", { value: "lower" }, "filled residues in lower case"),
    make("option", { value: "masked" }, "X below a probability"));
  const least = make("input", { type: "number", min: 0, max: 1, step: 0.05, value: 0.8, "aria-label": "Probability" });
  const room = make("span", { hidden: "" }, least);
  const said = make("span", { class: "said", role: "status" });
  const now = () => text(style.value, Number(least.value));
  style.addEventListener("change", () => { room.hidden = style.value !== "masked"; changed(now()); });
  least.addEventListener("input", () => changed(now()));
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(now());
      said.textContent = "copied";
    } catch {
      said.textContent = "could not be copied; save it instead";
    }
  };
  return { now, tools: [style, room,
    make("button", { type: "button", onclick: copy }, "Copy FASTA"),
    make("button", { type: "button", onclick: () => save(`${fileName(name)}.fasta`, "text/plain", now()) }, "Save FASTA"),
    said] };
}

// --- masses: the same as masses.py weighs ------------------------------------------------------------

const plus = (a, b, times = 1) => [a[0] + times * b[0], a[1] + times * b[1]];

function chainMass(sequence) {
  let total = constants.water;
  for (const letter of sequence) {
    if (!(letter in constants.residues)) return null;
    total = plus(total, constants.residues[letter]);
  }
  return sequence ? total : null;
}

const endsInLysine = (chain) => chain.locus.includes("H") && Boolean(chain.c) && chain.sequence.endsWith("K");

/** Forms of a chain, [name, [monoisotopic, average]] each; none if it holds an X. */
function formsOf(chain, cysteine) {
  const plain = chainMass(chain.sequence);
  if (!plain) return [];
  const forms = [["reduced", plain]];
  const added = chain.modifications.reduce((sum, [, , mass]) => sum + mass, 0);
  const written = plus(plain, [added, constants.average * added]);
  if (chain.modifications.length) forms.push(["with the modifications written", written]);
  const [byGaps, pyroFirst, lysineLost] = constants.forms;
  const held = chain.measured[2];
  if (held !== undefined) forms.push([byGaps, plus(written, [held, constants.average * held])]);
  const on = new Set(chain.modifications.map(([position]) => position));
  if (cysteine && chain.sequence.includes("C")) {
    const free = [...chain.sequence].filter((letter, i) => letter === "C" && !on.has(i + 1)).length;
    forms.push([`every C ${cysteine}`, plus(written, constants.carried[cysteine], free)]);
  }
  const pyro = on.has(1) ? undefined : constants.pyroglutamate[chain.sequence[0]];
  if (pyro) forms.push([pyroFirst, plus(written, pyro)]);
  if (endsInLysine(chain)) {
    const clipped = plus(written, constants.residues.K, -1);
    forms.push([lysineLost, clipped]);
    if (pyro) forms.push([`${pyroFirst}, ${lysineLost}`, plus(clipped, pyro)]);
  }
  return forms;
}

/** Rows of the antibody: [glycans, average masses]; null if the chains make none. */
function antibodyOf(chains) {
  const [heavy, light] = [...chains].sort((a, b) => Number(b.locus === "H") - Number(a.locus === "H"));
  const masses = [heavy, light].map((chain) => chainMass(chain.sequence));
  const constant = heavy.bands.find(([region]) => region === "C");
  if (!masses[0] || !masses[1] || !constant || !heavy.sequence.slice(constant[1]).includes(constants.sequon)) return null;
  const pairs = [heavy, light].reduce((sum, chain) => sum + chain.sequence.split("C").length - 1, 0);
  const pyro = [heavy, light].filter((chain) => chain.sequence[0] === "Q").length;
  let body = plus(plus([0, 0], masses[0], 2), masses[1], 2);
  body = plus(plus(body, constants.bond, pairs), constants.pyroglutamate.Q, 2 * pyro);
  const clipped = endsInLysine(heavy) ? [0, 1, 2] : [0];
  return constants.glycoforms.map((glycans) => {
    const total = glycans.reduce((sum, glycan) => plus(sum, constants.glycans[glycan]), body);
    return [glycans.join(" / ") || "no glycan", clipped.map((n) => plus(total, constants.residues.K, -n)[1])];
  });
}

const daltons = (mass) => mass.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const signed = (value, digits) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

/** A number as people write masses: 145,423.1, 145 423.1, 145.423,1 or 145423,1; 0 for any other text. */
function massIn(field) {
  const text = field.value.replace(/[\s'’]/g, "");
  const decimal = /,\d*$/.test(text) && !/^\d{1,3}(,\d{3})+$/.test(text);  // 49,156 is 49156
  return Number(decimal ? text.replace(/\./g, "").replace(",", ".") : text.replace(/,/g, "")) || 0;
}

function massField(changed) {
  const field = make("input", { inputmode: "decimal", size: 12, autocomplete: "off", oninput: changed });
  return { field, label: make("label", {}, "Measured, Da", field) };
}

function massesView(cysteine, about) {
  const kind = make("select", { "aria-label": "Kind of mass", onchange: () => view.update() },
    make("option", { value: "1" }, "average"), make("option", { value: "0" }, "monoisotopic"));
  const { field, label } = massField(() => view.update());
  const body = make("tbody"), head = make("tr");
  const element = make("div", { class: "masses" },
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Masses, ${about}` },
      make("table", {}, make("caption", {}, make("span", {}, "Mass of the chain, Da")), make("thead", {}, head), body)),
    make("div", { class: "tools" }, label, kind));
  const view = {
    element, chain: null,
    measured(mass, ofKind) {
      if (mass) field.value = daltons(mass);
      if (ofKind) kind.value = ofKind === "average" ? "1" : "0";
    },
    update(chain = view.chain) {
      view.chain = chain;
      const forms = formsOf(chain, cysteine), measured = massIn(field), which = Number(kind.value);
      element.querySelector(".tools").hidden = !forms.length;
      const heads = ["Form", "Monoisotopic", "Average", ...(measured ? ["This less measured, Da", "ppm"] : [])];
      head.replaceChildren(...heads.map((text, i) => make("th", { scope: "col", class: i ? "n" : null }, text)));
      const nearest = Math.min(...forms.map(([, mass]) => Math.abs(measured - mass[which])));
      body.replaceChildren(...forms.map(([name, mass]) => {
        const off = mass[which] - measured;  // as in masses.tsv
        const cells = [daltons(mass[0]), daltons(mass[1])];
        if (measured) cells.push(signed(off, 2), signed(off / measured * 1e6, 1));
        const best = measured && Math.abs(off) === nearest;
        return make("tr", { class: best ? "nearest" : null }, make("th", { scope: "row" }, name),
          ...cells.map((text) => make("td", { class: "n" }, text)));
      }));
      if (!forms.length) body.append(make("tr", {}, make("td", { colspan: 3 }, "Its mass is not known: it holds an X.")));
    },
  };
  return view;
}

function antibodyView(box, chains) {
  const { field, label } = massField(() => view.update());
  const tools = make("div", { class: "tools" }, label);
  box.after(tools);
  const view = {
    update() {
      const rows = antibodyOf(chains());
      const body = box.querySelector("tbody"), measured = massIn(field);
      tools.hidden = !rows;
      if (!rows) {
        body.replaceChildren(make("tr", {}, make("td", {}, "Its mass is not known: a chain holds an X, or the glycan's site is gone.")));
        return;
      }
      const nearest = Math.min(...rows.flatMap(([, masses]) => masses).map((mass) => Math.abs(measured - mass)));
      body.replaceChildren(...rows.map(([name, masses]) => make("tr", {}, make("th", { scope: "row" }, name),
        ...masses.map((mass) => {
          const off = mass - measured, best = measured && Math.abs(off) === nearest;
          return make("td", { class: `n${best ? " nearest" : ""}` }, daltons(mass) + (measured ? ` (${signed(off, 1)})` : ""));
        }))));
    },
  };
  return view;
}

// --- candidates --------------------------------------------------------------------------------------

/** A candidate's probability; of a chain that is listed to two digits. */
function written(p, step) {
  const digits = step === 1 ? 4 : 2, least = 10 ** -digits;
  return p >= least ? p.toFixed(digits) : `< ${least.toFixed(digits)}`;
}

/** What makes the best candidate of a gap sure, likely or unsure, as `verdict_of` in chains.py. */
function verdictOf(best) {
  if (best.p < constants.levels[2] / MILLE || constants.doubted.some((words) => best.status.includes(words))) return "unsure";
  return best.p >= constants.levels[0] / MILLE ? "sure" : "likely";
}

// The logo of a gap: the same as logo.py draws.
const LOGO_CELL = 16, LOGO_HEIGHT = 36, LOGO_LINE = 40, LOGO_SPACE = 8, CAPITAL = 11.7, WIDER = 1.5;

/** The letters of a residue that are drawn, with their shares per mille, most probable first. */
function sharesOf(r) {
  const every = [[r.letter, r.p], [r.second, r.secondP]];
  for (let k = 0; k < r.others.length; k += 2) every.push([r.others[k], r.others[k + 1]]);
  return every.filter(([letter, share]) => letter && share >= constants.second).sort((a, b) => b[1] - a[1]);
}

function logoInWords(residues) {
  const said = [`Logo of residues ${residues[0].position} to ${residues.at(-1).position}`];
  const unsure = residues.filter((r) => r.p < constants.levels[0]);
  for (const r of unsure) {
    const shares = sharesOf(r).map(([letter, share]) => `${letter} ${(share / MILLE).toFixed(2)}`).join(", ");
    said.push(`${r.position}: ${shares || "no letter of 0.05 or more"}`);
  }
  if (unsure.length < residues.length) said.push(`${unsure.length ? "the others" : "all"} at 0.95 or more`);
  return said.join("; ");
}

function drawLogo(residues) {
  let parts = "";
  residues.forEach((r, i) => {
    const x = (i % LOGO_LINE) * LOGO_CELL;
    let floor = (Math.floor(i / LOGO_LINE) + 1) * (LOGO_HEIGHT + LOGO_SPACE) - LOGO_SPACE;
    for (const [letter, share] of sharesOf(r).reverse()) {
      const height = LOGO_HEIGHT * share / MILLE;
      parts += `<text class="${letter === r.letter ? "a" : "e"}" transform="translate(${x + LOGO_CELL / 2} ${floor.toFixed(2)}) ` +
        `scale(${WIDER} ${(height / CAPITAL).toFixed(3)})">${escaped(letter)}</text>`;
      floor -= height;
    }
  });
  const width = Math.min(residues.length, LOGO_LINE) * LOGO_CELL;
  const height = Math.ceil(residues.length / LOGO_LINE) * (LOGO_HEIGHT + LOGO_SPACE) - LOGO_SPACE;
  return `<svg class="logo" viewBox="0 -2 ${width} ${height + 4}" width="${width}" height="${height + 4}" role="img" ` +
    `aria-label="${escaped(logoInWords(residues))}">${parts}</svg>`;
}

/** The letters of a candidate, with a mark at each cleavage that spectra show. */
function cut(candidate) {
  return (candidate.cleaved || candidate.letters).split(constants.cut).map(escaped).join('<i class="cut"></i>');
}

function candidatesView(chain, about, id, choose) {
  const gaps = chain.gaps.map((gap, g) => [gap, g]).filter(([gap]) => !gap.code);
  if (!gaps.length) return make("div", { class: "candidates" });
  const bars = gaps.some(([gap]) => gap.spectra) ? " Bars: cleavages that spectra show." : "";
  const heads = ["Residues", "Region, IMGT", "Candidate", "Probability", "Length", "Mass error, ppm", "Status"];
  const table = make("table", {},
    make("caption", {}, make("span", {}, "Candidates of each gap: choose another, and map, masses and FASTA follow. Below them the logo: each letter of .05 or more as high as it is probable." + bars)),
    make("thead", {}, make("tr", {}, ...heads.map((text, i) => make("th", { scope: "col", class: i > 2 && i < 6 ? "n" : null }, text)))));
  for (const [gap, g] of gaps) {
    const place = gap.last < gap.first ? "none" : gap.first === gap.last ? `${gap.first}` : `${gap.first}–${gap.last}`;
    const verdict = gap.candidates.length ? verdictOf(gap.candidates[0]) : "open";
    const missing = gap.candidates.length ? chain.residues.filter((r) => r.position >= gap.first && r.position <= gap.last) : [];
    const body = make("tbody");
    const rows = gap.candidates.length ? gap.candidates : [null];
    const height = rows.length + (missing.length ? 1 : 0);
    rows.forEach((candidate, k) => {
      const row = make("tr", { class: k ? null : "first" });
      if (!k) {
        row.append(make("th", { scope: "rowgroup", rowspan: height, class: "one" }, place, make("br"),
          make("span", { class: `verdict ${verdict}` }, verdict)));
        row.append(make("td", { rowspan: height, class: "one" }, gap.region, make("br"), make("span", { class: "soft" }, gap.imgt)));
      }
      if (!candidate) {
        row.append(make("td", { class: "candidate" }, "not filled"), make("td"), make("td"), make("td"), make("td", { class: "status" }, gap.open));
      } else {
        const radio = make("input", { type: "radio", name: `${id}-${g}`, onchange: () => choose(g, k),
          "aria-label": `${candidate.letters || "no residue"}, probability ${written(candidate.p, chain.step)}` });
        radio.checked = k === 0;
        const cell = make("td", { class: "candidate" });
        cell.innerHTML = `<label><svg class="share" viewBox="0 0 60 8" width="60" height="8" aria-hidden="true">` +
          `<rect x="0" y="0" width="${(60 * candidate.p).toFixed(1)}" height="8"/></svg>` +
          `<span class="letters">${cut(candidate) || "no residue"}</span></label>`;
        cell.firstChild.prepend(radio);
        const numbers = [written(candidate.p, chain.step), candidate.letters.length, candidate.ppm === null ? "" : signed(candidate.ppm, 2)];
        row.append(cell, ...numbers.map((text) => make("td", { class: "n" }, String(text))), make("td", { class: "status" }, candidate.status));
      }
      body.append(row);
    });
    if (missing.length) {
      const cell = make("td", { class: "candidate", colspan: 5 });
      cell.innerHTML = drawLogo(missing);
      if (gap.spectra) cell.append(make("p", { class: "note" }, `Spectra: ${gap.spectra}`));
      body.append(make("tr", {}, cell));
    }
    table.append(body);
  }
  return make("div", { class: "candidates" },
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Candidates, ${about}` }, table));
}

// --- a chain's part of the page ------------------------------------------------------------------------

/** Bring a chain's part to life; changed() is called after another candidate was chosen. */
function chainView(article, chain, id, cysteine, changed = () => {}) {
  const box = article.querySelector(".map-box"), choice = new Map();
  const view = { chain, current: chain };
  let drawn = article.dataset.drawn === "no" ? 0 : constants.columns;
  const draw = (columns) => { box.innerHTML = drawMap(view.current, columns); drawn = columns; };
  const about = box.getAttribute("aria-label").replace("Map of ", "");
  const masses = massesView(cysteine, about);
  const choose = (gap, number) => {
    if (number) choice.set(gap, number);
    else choice.delete(gap);
    view.current = withChoice(chain, choice);
    draw(columnsFor(box));
    masses.update(view.current);
    changed();
  };
  view.fit = () => { if (columnsFor(box) !== drawn) draw(columnsFor(box)); };
  view.draw = draw;
  article.querySelector(".candidates").replaceWith(candidatesView(chain, about, id, choose));
  article.querySelector(".masses").replaceWith(masses.element);
  const { tools } = fastaTools(chain.name, (style, least) => fasta(view.current, style, least));
  article.querySelector(".tools").replaceChildren(
    make("button", { type: "button", onclick: () => save(`${fileName(chain.name)}.svg`, "image/svg+xml", standalone(view.current)) }, "SVG"),
    make("button", { type: "button", onclick: () => savePicture(view.current) }, "PNG"), ...tools);
  masses.measured(...chain.measured);
  masses.update(chain);
  view.fit();
  return view;
}

const views = new Set();
addEventListener("resize", () => views.forEach((view) => view.fit()));
addEventListener("beforeprint", () => views.forEach((view) => view.draw(constants.columns)));
addEventListener("afterprint", () => views.forEach((view) => view.fit()));

function drawnSample(work, chains, block) {
  const pre = work.querySelector("pre.fasta"), whole = work.querySelector(".whole"), mine = [];
  const text = (style, least) => mine.map((view) => fasta(view.current, style, least)).join("");
  const sample = work.closest("section").querySelector("h2").textContent;
  const { tools, now } = fastaTools(sample, text, (content) => { pre.textContent = content; });
  work.querySelector(".fasta-tools").replaceChildren(...tools);
  const antibody = whole && antibodyView(whole, () => mine.map((view) => view.current));
  const changed = () => {
    pre.textContent = now();
    if (antibody) antibody.update();
  };
  for (const article of work.querySelectorAll("article.chain")) {
    const i = chains.place[Number(article.dataset.chain)];
    mine.push(chainView(article, chains.chain(i), `${block.id}-${i}`, block.dataset.cysteine, changed));
  }
  mine.forEach((view) => views.add(view));
  if (antibody) antibody.update();
}

// --- the table of a repertoire ---------------------------------------------------------------------------

const ROW_HEIGHT = 30, SPARE = 8, SEARCH_SEQUENCE = /^[ACDEFGHIKLMNPQRSTVWYX]{3,}$/;

/** Columns of the table: title, value of a chain, its text, and whether it is a number. */
function tableColumns(chains) {
  const c = chains.columns, n = chains.size;
  const missing = new Int32Array(n), gaps = new Int32Array(n), open = new Int32Array(n), least = new Int32Array(n).fill(MILLE + 1);
  for (let i = 0; i < n; i++) {
    let r = chains.residueStart[i];
    for (let g = chains.gapStart[i]; g < chains.gapStart[i + 1]; g++) {
      const isGap = decoded(c.code, g) === "";
      if (isGap) {
        gaps[i]++;
        missing[i] += c.length[g];
        if (!c.candidates[g]) open[i]++;
      }
      for (const end = r + c.length[g]; r < end; r++) if (isGap && c.letter_p[r] * c.step < least[i]) least[i] = c.letter_p[r] * c.step;
    }
  }
  const text = (title, value) => ({ title, value, text: value, number: false });
  const number = (title, value) => ({ title, value, text: (i) => String(value(i)), number: true });
  return [
    text("Chain", (i) => chains.names[i]),
    text("Locus", (i) => decoded(c.locus, i)),
    text("V segment", (i) => decoded(c.v, i)),
    text("J segment", (i) => decoded(c.j, i)),
    number("Length", (i) => chains.sequences[i].length),
    number("Gaps", (i) => gaps[i]),
    number("Missing", (i) => missing[i]),
    number("Not filled", (i) => open[i]),
    { title: "Least p", value: (i) => least[i], text: (i) => (least[i] > MILLE ? "" : (least[i] / MILLE).toFixed(2)), number: true },
  ];
}

/** Lines that are searched as one text, which is faster than one by one. */
class Haystack {
  constructor(lines) {
    this.text = lines.join("\n");
    this.ends = new Int32Array(lines.length);
    let end = -1;
    lines.forEach((line, i) => { this.ends[i] = end += line.length + 1; });
  }

  /** Set `hit` of every line that holds `part`, which is within one line. */
  mark(part, hit) {
    for (let at = this.text.indexOf(part), i = 0; at >= 0; at = this.text.indexOf(part, this.ends[i])) {
      while (this.ends[i] <= at) i++;
      hit[i] = 1;
    }
  }
}

function listedSample(work, chains, block) {
  const columns = tableColumns(chains);
  let words = null;
  const learn = () => {
    words ??= new Haystack(Array.from({ length: chains.size }, (_, i) =>
      `${columns[0].value(i)} ${columns[1].value(i)} ${columns[2].value(i)} ${columns[3].value(i)}`.toLowerCase()));
  };
  const letters = new Haystack(chains.sequences);
  const all = Int32Array.from(chains.place);
  let found = all, sorted = { column: -1, down: false }, at = -1, view = null;

  const search = make("input", { type: "search", size: 34, placeholder: "id, segment, or a motif in capitals", "aria-label": "Search chains" });
  const said = make("span", { class: "said", role: "status" });
  const { tools } = fastaTools(work.closest("section").querySelector("h2").textContent,
    (style, least) => Array.from(found, (i) => fasta(chains.chain(i), style, least)).join(""));
  const buttons = columns.map((column, k) => make("button", { type: "button", onclick: () => sortBy(k) }, column.title));
  const heads = columns.map((column, k) => make("th", { scope: "col", class: column.number ? "n" : null, "aria-sort": "none" }, buttons[k]));
  const body = make("tbody");
  const table = make("table", { "aria-rowcount": chains.size + 1 }, make("thead", {}, make("tr", {}, ...heads)), body);
  const rows = make("div", { class: "rows", tabindex: 0, role: "region", "aria-label": "Chains; arrows move, Enter draws a chain" }, table);
  const article = make("article", { class: "chain", "data-drawn": "no", hidden: "" });
  work.querySelector(".no-script").remove();
  work.append(make("div", { class: "tools" }, search, said), rows, make("div", { class: "tools" }, "Chains of the table:", ...tools), article);

  const space = (height) => {
    const row = make("tr", { class: "space", "aria-hidden": "true" }, make("td", { colspan: columns.length }));
    row.style.height = `${height}px`;
    return row;
  };
  function paint() {
    const first = Math.max(Math.floor(rows.scrollTop / ROW_HEIGHT) - SPARE, 0);
    const last = Math.min(first + Math.ceil(rows.clientHeight / ROW_HEIGHT) + 2 * SPARE, found.length);
    const shown = [];
    for (let k = first; k < last; k++) {
      shown.push(make("tr", { "aria-rowindex": k + 2, "data-row": k, class: k === at ? "at" : null, "aria-selected": k === at ? "true" : null },
        ...columns.map((column) => make("td", { class: column.number ? "n" : null, title: column.number ? null : column.text(found[k]) }, column.text(found[k])))));
    }
    body.replaceChildren(space(first * ROW_HEIGHT), ...shown, space((found.length - last) * ROW_HEIGHT));
  }
  function filter() {
    const query = search.value.trim(), lower = query.toLowerCase(), motif = SEARCH_SEQUENCE.test(query);
    found = all;
    if (query) {
      learn();
      const hit = new Uint8Array(chains.size);
      words.mark(lower, hit);
      if (motif) letters.mark(query, hit);
      found = all.filter((i) => hit[i]);
    }
    said.textContent = `${found.length.toLocaleString("en-US")} of ${chains.size.toLocaleString("en-US")} chains`;
    order();
  }
  function order() {
    if (sorted.column >= 0) {
      const { value } = columns[sorted.column], sign = sorted.down ? -1 : 1;
      const values = new Map(Array.from(found, (i) => [i, value(i)]));
      found = found.slice().sort((a, b) => {
        const x = values.get(a), y = values.get(b);
        return x < y ? -sign : x > y ? sign : 0;
      });
    }
    at = -1;
    rows.scrollTop = 0;
    paint();
  }
  function sortBy(k) {
    sorted = { column: k, down: sorted.column === k && !sorted.down };
    heads.forEach((head, i) => head.setAttribute("aria-sort", i !== k ? "none" : sorted.down ? "descending" : "ascending"));
    buttons.forEach((button, i) => { button.textContent = columns[i].title + (i !== k ? "" : sorted.down ? " ↓" : " ↑"); });
    filter();
  }
  function move(k) {
    at = Math.min(Math.max(k, 0), found.length - 1);
    const head = table.tHead.offsetHeight, top = at * ROW_HEIGHT, room = rows.clientHeight - head;
    if (top < rows.scrollTop) rows.scrollTop = top;
    else if (top + ROW_HEIGHT > rows.scrollTop + room) rows.scrollTop = top + ROW_HEIGHT - room;
    paint();
  }
  function show(k) {
    if (k < 0 || k >= found.length) return;
    move(k);
    const chain = chains.chain(found[k]);
    const about = [chain.v, chain.j, chain.c].filter(Boolean).concat(`${chain.sequence.length} residues`).join(" · ");
    article.replaceChildren(
      make("h3", {}, make("span", { class: "name" }, chain.name), " ", make("span", { class: "soft" }, about)),
      make("div", { class: "tools" }), make("div", { class: "map-box scroll", tabindex: 0, role: "region", "aria-label": `Map of ${chain.name}` }),
      make("div", { class: "candidates" }), make("div", { class: "masses" }));
    article.hidden = false;
    views.delete(view);
    view = chainView(article, chain, block.id, block.dataset.cysteine);
    views.add(view);
  }
  const page = () => Math.max(Math.floor(rows.clientHeight / ROW_HEIGHT) - 2, 1);
  const keys = {
    ArrowDown: () => move(at + 1), ArrowUp: () => move(at - 1), Home: () => move(0), End: () => move(found.length - 1),
    PageDown: () => move(at + page()), PageUp: () => move(at - page()), Enter: () => show(at),
  };
  rows.addEventListener("keydown", (event) => {
    if (event.target === rows && event.key in keys) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  rows.addEventListener("scroll", paint);
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-row]");
    if (row) show(Number(row.dataset.row));
  });
  search.addEventListener("input", filter);
  filter();
  setTimeout(learn); // so that the first search is as fast as the next
}

// --- start -------------------------------------------------------------------------------------------------

async function begin() {
  for (const work of document.querySelectorAll(".work")) {
    const block = document.getElementById(`data-${work.dataset.sample}`);
    const chains = await Chains.read(block);
    block.remove();
    (work.classList.contains("list") ? listedSample : drawnSample)(work, chains, block);
  }
  document.documentElement.dataset.ready = "yes";
}

begin();
