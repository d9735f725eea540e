// What this peer saw, as a space–time diagram: one line per person, one arrow per message. It grows while messages come.

import { afterAWhile, harmless, make, named, reconcile, the } from "./dom.js";
import { state } from "./state.js";

const NS = "http://www.w3.org/2000/svg";
/** Pixels: from one line to the next and from one row to the next, and beside the first and the last. */
const COLUMN = 120;
const ROW = 26;
const MARGIN = 64;
const LANE = 9;
/** As many colours as the style knows; the last ones are used again. */
const COLOURS = 7;

const drawing = the("drawing");
let wire = null;
let act = null;
let shown = { marks: [] };

/** `actions` has `view(name)` and `notice(text)`. */
export function begin(connection, actions) {
  wire = connection;
  act = actions;
  the("show-order").addEventListener("click", open);
  the("see-order").addEventListener("click", open);
  the("hide-order").addEventListener("click", () => {
    act.view("chat");
    the("text").focus();
  });
  drawing.addEventListener("keydown", walk);
  for (const event of ["focusin", "pointerover"]) drawing.addEventListener(event, ({ target }) => point(target.closest(".mark")));
  drawing.addEventListener("pointerleave", () => point(drawing.querySelector(".mark:focus")));
}

const isOpen = () => document.body.dataset.view === "order";

async function open() {
  act.view("order");
  await look();
  drawing.scrollTop = drawing.scrollHeight;
  (drawing.querySelector('.mark[tabindex="0"]') ?? the("hide-order")).focus();
}

/** Something happened: it is drawn soon. */
export const changed = afterAWhile(() => isOpen() && look(), 400);

async function look() {
  try {
    draw(await wire.ask("diagram"));
  } catch (error) {
    if (!error.lost) act.notice(error.message);
  }
}

const x = (line) => MARGIN + line * COLUMN;
const y = (row) => 14 + row * ROW;
const keyOf = (mark) => `${mark.kind} ${mark.message ?? ""} ${mark.line} ${mark.row}`;

function svg(tag, attributes, children = []) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function draw(diagram) {
  const atEnd = drawing.scrollHeight - drawing.scrollTop - drawing.clientHeight < 2 * ROW;
  const focused = drawing.querySelector(".mark:focus")?.dataset.key;
  const before = drawing.querySelector('.mark[tabindex="0"]')?.dataset.key;
  shown = diagram;
  const authors = new Map(diagram.lines.map((line, number) => [line.process, number]));
  const colour = (mark) => {
    const author = mark.message ? authors.get(mark.message.slice(0, mark.message.lastIndexOf(":"))) : undefined;
    return author === undefined ? "none" : `c${author % COLOURS}`;
  };
  const width = x(diagram.lines.length - 1) + COLUMN;
  const height = y(diagram.rows) + ROW;
  const picture = svg("svg", { width, height, role: "list", "aria-label": "What happened, from top to bottom" });
  diagram.lines.forEach((_, line) => picture.append(svg("path", { class: "line", d: `M${x(line)} 0V${y(diagram.rows)}` })));
  for (const { line, lane, from, to } of diagram.held) {
    const mark = diagram.marks.find((mark) => mark.line === line && mark.row === from);
    const place = { x: x(line) - 5 - lane * LANE, y: y(from) - 5, width: 10, height: y(to) - y(from) + 10, rx: 5 };
    picture.append(svg("rect", { class: `span ${mark ? colour(mark) : ""}`, ...place }));
  }
  const bySend = new Map(diagram.marks.map((mark) => [`${mark.line} ${mark.row}`, mark]));
  for (const { from, to, arrived } of diagram.arrows) {
    const mark = bySend.get(from.join(" "));
    picture.append(arrow(from, to, arrived, mark));
    if (mark) picture.lastChild.classList.add(colour(mark));
  }
  const marks = diagram.marks.map((mark) => markOf(mark, colour(mark)));
  picture.append(...marks);
  drawing.replaceChildren(picture);
  const current = marks.find((mark) => mark.dataset.key === before) ?? marks.at(-1);
  current?.setAttribute("tabindex", "0");
  if (focused !== undefined) current?.focus({ preventScroll: true });
  heads(diagram);
  say(diagram);
  if (atEnd) drawing.scrollTop = drawing.scrollHeight;
}

/** The names stay in sight above their lines. */
function heads(diagram) {
  const row = make("div", "heads", [], { "aria-hidden": "true" });
  diagram.lines.forEach((line, number) => {
    const head = named(line.label, `head c${number % COLOURS}`);
    head.style.left = `${x(number)}px`;
    row.append(head);
  });
  row.style.width = `${x(diagram.lines.length - 1) + COLUMN}px`;
  drawing.prepend(row);
}

function arrow(from, to, arrived, mark) {
  const [x1, y1, x2, y2] = [x(from[0]), y(from[1]), x(to[0]), y(to[1])];
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [along, down] = [(x2 - x1) / length, (y2 - y1) / length];
  const [tipX, tipY] = [x2 - along * 5, y2 - down * 5];
  const side = (by) => `${tipX - along * 8 - down * by} ${tipY - down * 8 + along * by}`;
  const head = svg("path", { class: "tip", d: `M${side(4)}L${tipX} ${tipY}L${side(-4)}${arrived ? "Z" : ""}` });
  const path = svg("path", { d: `M${x1} ${y1}L${tipX} ${tipY}` });
  const group = svg("g", { class: `arrow${arrived ? "" : " open"}` }, [path, head]);
  group.dataset.message = mark?.message ?? "";
  return group;
}

const SAID = {
  sent: "sent", direct: "sent to one person", delivered: "shown", late: "shown after it was given up", held: "held",
  gave_up: "given up", started: "started", left: "left", wrong: "out of order",
};

function markOf(mark, colour) {
  const [cx, cy] = [x(mark.line), y(mark.row)];
  const shape = {
    sent: () => svg("circle", { cx, cy, r: 5 }),
    direct: () => svg("path", { d: `M${cx} ${cy - 6}l6 6l-6 6l-6 -6Z` }),
    held: () => svg("circle", { cx, cy, r: 4 }),
  }[mark.kind] ?? (() => svg("circle", { cx, cy, r: 4 }));
  // A larger place to point at than what is seen.
  const place = svg("circle", { class: "place", cx, cy, r: 12 });
  // Arrows come from the right to what was shown, and leave to the right from what was sent.
  const isSent = mark.kind === "sent" || mark.kind === "direct";
  const text = svg("text", { x: isSent ? cx + 9 : cx - 9, y: cy + (isSent ? -6 : 4), "text-anchor": isSent ? "start" : "end" });
  text.textContent = harmless(mark.message ? short(mark) : mark.text);
  const group = svg("g", { class: `mark ${mark.kind} ${colour}`, role: "listitem", tabindex: "-1" }, [place, shape(), text]);
  group.setAttribute("aria-label", harmless(aboutOf(mark)));
  Object.assign(group.dataset, { key: keyOf(mark), message: mark.message ?? "", missing: mark.missing.join(" ") });
  return group;
}

/** `#3` at the line of its author, else with the name in front. */
function short(mark) {
  const clock = mark.message.slice(mark.message.lastIndexOf(":") + 1);
  return mark.kind === "sent" || mark.kind === "direct" ? `#${clock}` : `${labelOfAuthor(mark.message)}#${clock}`;
}

function labelOfAuthor(message) {
  const process = message.slice(0, message.lastIndexOf(":"));
  return shown.lines.find((line) => line.process === process)?.label ?? "…";
}

function aboutOf(mark) {
  const at = shown.lines[mark.line]?.label ?? "";
  const what = mark.message ? `${mark.text}, ${SAID[mark.kind] ?? mark.kind}` : mark.text;
  const text = mark.message ? textOf(mark.message) : undefined;
  return `${at}: ${what}${text === undefined ? "" : `: “${text.slice(0, 120)}”`}`;
}

function textOf(id) {
  for (const talk of state.conversations.values()) {
    if (talk.ids.has(id)) return talk.messages.find((message) => message.id === id).text;
  }
  return undefined;
}

/** Shows a message, wherever it is in the drawing, and what it waited for. */
function point(mark) {
  for (const element of drawing.querySelectorAll(".pointed, .cause")) element.classList.remove("pointed", "cause");
  the("order-about").textContent = mark ? mark.getAttribute("aria-label") : "Point at something, or walk through it with the arrow keys.";
  if (!mark?.dataset.message) return;
  const causes = new Set(mark.dataset.missing.split(" ").filter(Boolean));
  for (const element of drawing.querySelectorAll(".mark, .arrow")) {
    element.classList.toggle("pointed", element.dataset.message === mark.dataset.message);
    element.classList.toggle("cause", causes.has(element.dataset.message));
  }
}

/** From one mark to the next by the arrow keys. */
function walk(event) {
  const marks = [...drawing.querySelectorAll(".mark")];
  const at = marks.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: marks.length - 1 }[event.key];
  if (to === undefined || !marks[to]) return;
  event.preventDefault();
  marks[at]?.setAttribute("tabindex", "-1");
  marks[to].setAttribute("tabindex", "0");
  marks[to].focus();
  marks[to].scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** What is left out. */
function say({ earlier, other_lines: others, marks }) {
  const said = [];
  if (earlier > 0) said.push(`${earlier} earlier ${earlier === 1 ? "event" : "events"}`);
  if (others > 0) said.push(`${others} more ${others === 1 ? "person" : "people"} and what they sent`);
  said.push("what others said to each other, which never came here");
  const open = " When your messages were shown to the others is not known here, so their arrows end open.";
  const text = `Later is below; only the order counts. Left out: ${said.join("; ")}.${open}`;
  reconcile(the("order-note"), [[text, () => make("span", "", text)]]);
  if (marks.length === 0) the("order-about").textContent = "Nothing has been sent or shown yet.";
}
