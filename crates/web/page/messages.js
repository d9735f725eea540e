// The messages of the open conversation.

import { dateOf, dayText, harmless, make, named, reconcile, the, timeText, withLinks } from "./dom.js";
import { kept } from "./kept.js";
import { conversation, labelOf, state, unreadOf } from "./state.js";

/** Messages of one author this close together, in milliseconds, stand below one name. */
const TOGETHER = 5 * 60 * 1000;

/** Pixels from the end that still count as being at the end. */
const NEAR = 60;

const log = the("log");
let shownKey = null;
let atEnd = true;
let act = null;

/** `actions` has `older()`, `newer()`, `toNewest()`, `read(talk)`, `jump(key, id)`, `whoHas(id)`, `sendAgain(entry)` and `discard(entry)`. */
export function begin(actions) {
  act = actions;
  log.addEventListener("scroll", look);
  the("newest").addEventListener("click", () => {
    the("text").focus();
    act.toNewest();
  });
  the("first-unread").addEventListener("click", () => {
    log.focus();
    act.jump(state.open, conversation(state.open).firstUnread);
  });
  addEventListener("resize", () => atEnd && toEnd());
  document.addEventListener("visibilitychange", seen);
}

export function toEnd() {
  atEnd = true;
  log.scrollTop = log.scrollHeight;
  showBars();
}

const toGo = () => log.scrollHeight - log.scrollTop - log.clientHeight;

/** Where the reader is: more is fetched where they come near the end of what is here. */
function look() {
  atEnd = conversation(state.open).live && toGo() < NEAR;
  showBars();
  if (log.scrollTop < 300) act.older();
  if (toGo() < 300) act.newer();
  seen();
}

/** What is at the end of a visible log has been read. */
function seen() {
  const talk = conversation(state.open);
  if (!atEnd || !talk.live || document.hidden || !state.me || document.body.dataset.view !== "chat") return;
  if (unreadOf(talk.key).unread > 0) act.read(talk);
}

/** Shows what there is, and keeps the place of the reader. */
export function render() {
  const talk = conversation(state.open);
  const opened = shownKey !== talk.key;
  if (opened) {
    log.replaceChildren();
    shownKey = talk.key;
    atEnd = talk.live;
    talk.firstUnread = null;
  }
  const before = { number: log.childElementCount, first: log.firstElementChild?.dataset.key };
  // The line stays where it is until the conversation is left.
  if (opened || document.hidden || !atEnd) talk.firstUnread ??= unreadOf(talk.key).first;
  const anchor = atEnd ? null : anchorOf();
  const list = rows(talk);
  // Many at once, or older ones, are not read out.
  log.setAttribute("aria-busy", String(opened || list.length > before.number + 20 || list[0]?.[0] !== before.first));
  reconcile(log, list);
  requestAnimationFrame(() => log.setAttribute("aria-busy", "false"));
  const line = opened && log.querySelector(".rule.new");
  if (line && line.offsetTop < log.scrollHeight - log.clientHeight) {
    log.scrollTop = line.offsetTop - log.offsetTop - 40;
    atEnd = talk.live && toGo() < NEAR;
  } else if (atEnd) {
    toEnd();
  } else if (anchor?.row.isConnected) {
    log.scrollTop = anchor.row.offsetTop - anchor.above;
  }
  showBars();
  seen();
  if (talk.grew) {
    talk.grew = false;
    look();
  }
}

/** The topmost row in sight, and how far below the edge it begins. */
function anchorOf() {
  const rows = log.children;
  let [some, end] = [0, rows.length];
  while (some < end) {
    const middle = (some + end) >> 1;
    if (rows[middle].offsetTop + rows[middle].offsetHeight <= log.scrollTop + log.offsetTop) some = middle + 1;
    else end = middle;
  }
  const row = rows[some];
  return row && { row, above: row.offsetTop - log.scrollTop };
}

function showBars() {
  const talk = conversation(state.open);
  the("newest").hidden = atEnd || talk.messages.length === 0;
  const { unread } = unreadOf(talk.key);
  const line = talk.firstUnread && log.querySelector(".rule.new");
  const isAbove = talk.firstUnread !== null && (line ? line.offsetTop - log.offsetTop < log.scrollTop : !talk.ids.has(talk.firstUnread));
  the("first-unread").hidden = !isAbove || unread === 0;
  the("first-unread").textContent = `↑ ${unread} new ${unread === 1 ? "message" : "messages"}`;
}

function rows(talk) {
  const list = [];
  if (talk.whole) list.push([`begin ${talk.messages.length === 0}`, () => make("p", "quiet", beginning(talk))]);
  let before = null;
  const told = state.caughtUp?.key === talk.key ? state.caughtUp : null;
  const toldRow = () => [`told ${told.text}`, () => make("p", "told", told.text)];
  for (const message of talk.messages) {
    if (message.id === told?.before) list.push(toldRow());
    message.date ??= dateOf(message);
    message.day ??= message.date.toDateString();
    const { date, day } = message;
    if (before?.day !== day) list.push([`day ${day} ${message.id}`, () => make("div", "rule", dayText(date))]);
    const fresh = message.id === talk.firstUnread;
    if (fresh) list.push(["unread", () => make("div", "rule new", "New")]);
    const first = before?.day !== day || fresh || before.from.person !== message.from.person || Math.abs(date - before.date) > TOGETHER;
    const tick = tickOf(message);
    list.push([`${message.id} ${first ? labelOf(message.from.person) : ""} ${tick}`, () => messageRow(message, first, tick)]);
    before = message;
  }
  if (told?.before === null && talk.live) list.push(toldRow());
  for (const entry of talk.live ? kept.outbox.filter((entry) => entry.key === talk.key) : []) {
    list.push([`out ${entry.number} ${entry.why}`, () => unsentRow(entry)]);
  }
  return list;
}

function beginning(talk) {
  return talk.messages.length === 0 ? "Nothing has been said here yet." : "The beginning of what this peer has.";
}

function tickOf(message) {
  if (!message.own) return "";
  return state.undelivered.has(message.id) ? "sent" : "delivered";
}

function messageRow(message, first, tick) {
  const { date } = message;
  const tags = [];
  if (message.late) tags.push("came late");
  if (message.clock_off) tags.push("by a wrong clock");
  const time = make("time", "", timeText(date), { datetime: date.toISOString(), title: date.toLocaleString() });
  const tag = tags.length > 0 ? [make("span", "tag", `(${tags.join(", ")})`)] : [];
  const head = make("div", first ? "head" : "sr", [named(labelOf(message.from.person), "who"), time]);
  head.append(...tag);
  const body = make("div", "body", withLinks(message.text), { dir: "auto" });
  const row = make("div", `message${first ? " first" : ""}${message.own ? " own" : ""}`, [head, body]);
  if (tick) row.append(tickButton(message, tick));
  row.title = first ? "" : timeText(date);
  row.dataset.id = message.id;
  return row;
}

function tickButton(message, tick) {
  const what = tick === "delivered" ? "Everybody who is here has this message" : "On its way";
  const button = make("button", `tick ${tick}`, tick === "delivered" ? "✓" : "◦", { type: "button", title: `${what}. Who has it?` });
  button.setAttribute("aria-label", `${what}. Who has it?`);
  button.addEventListener("click", () => act.whoHas(message.id));
  return button;
}

function unsentRow(entry) {
  const body = make("div", "body", harmless(entry.text), { dir: "auto" });
  const row = make("div", "message first unsent", [body]);
  if (entry.why === "") {
    row.append(make("span", "tag", "sending…"));
  } else {
    const again = make("button", "plain", "Send again", { type: "button" });
    again.addEventListener("click", () => act.sendAgain(entry));
    const discard = make("button", "plain", "Discard", { type: "button" });
    discard.addEventListener("click", () => act.discard(entry));
    row.append(make("span", "tag", `Not sent: ${entry.why}`), again, discard);
  }
  return row;
}

/** Shows a message that is loaded, wherever it is; whether it is. */
export function showMessage(id) {
  const row = log.querySelector(`[data-id="${CSS.escape(id)}"]`);
  if (!row) return false;
  atEnd = false;
  log.focus({ preventScroll: true });
  row.scrollIntoView({ block: "center" });
  // Where all fits, nothing scrolls, and the end is in sight.
  look();
  row.classList.add("found");
  setTimeout(() => row.classList.remove("found"), 2500);
  return true;
}

/** One line on what is held back, and what for. */
export function renderHeld() {
  const held = [...state.held.values()];
  const line = the("held");
  line.hidden = held.length === 0;
  if (held.length === 0) return line.replaceChildren();
  const authors = names(held.map((held) => held.from));
  const missing = new Map(held.flatMap((held) => held.missing));
  const text = [`Held back: ${held.length === 1 ? "one" : held.length} from `, ...authors, ", waiting for "];
  if (missing.size === 0) text.push("the history of a conversation");
  else text.push(missing.size === 1 ? "one from " : `${missing.size} from `, ...names([...missing.values()]));
  const now = make("span", "", text);
  // What has not changed is not read out again.
  if (line.textContent !== now.textContent) line.replaceChildren(now);
}

function names(people) {
  const labels = [...new Set(people.map((who) => labelOf(who.person)))];
  const shown = labels.slice(0, 3).flatMap((label, nth) => [nth > 0 ? ", " : "", named(label)]);
  return labels.length > 3 ? [...shown, ` and ${labels.length - 3} more`] : shown;
}
