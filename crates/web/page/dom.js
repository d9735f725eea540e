// Elements and texts. Whatever others wrote becomes text, and never markup.

/** An element with a class, a text or children, and attributes. */
export function make(tag, name, content = [], attributes = {}) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...(Array.isArray(content) ? content : [content]));
  return element;
}

export const the = (id) => document.getElementById(id);

/** A name, kept apart from the direction of the text around it. */
export const named = (name, className = "") => make("bdi", className, harmless(name));

const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Makes characters visible that would hide text or turn it around. */
export function harmless(text) {
  const shown = (c) => `<U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}>`;
  return text.replace(/\r\n?/g, "\n").replace(HARMFUL, shown);
}

const LINK = /\bhttps?:\/\/[^\s<>"]+/gi;

/** A text with its links made clickable: http and https alone. */
export function withLinks(text) {
  const parts = [];
  let from = 0;
  const shown = harmless(text);
  for (const found of shown.matchAll(LINK)) {
    const address = found[0].replace(/[.,;:!?'")\]}]+$/, "");
    if (!URL.canParse(address)) continue;
    parts.push(shown.slice(from, found.index));
    const link = make("a", "", address, { target: "_blank", rel: "noopener noreferrer" });
    link.href = new URL(address).href;
    parts.push(link);
    from = found.index + address.length;
  }
  parts.push(shown.slice(from));
  return parts;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const FAR_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });

/** A date that can be shown, whatever an author's clock says. */
export function dateOf(message) {
  const date = new Date(message.sent_at / 1000);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}
export const timeText = (date) => TIME.format(date);
export function dayText(date) {
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return "Today";
  return (date.getFullYear() === now.getFullYear() ? DAY : FAR_DAY).format(date);
}

/** Brings the children of `parent` into line with `rows`, pairs of a key and what makes the element; what stays is not touched. */
export function reconcile(parent, rows) {
  const had = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = new Set(rows.map(([key]) => key));
  for (const [key, child] of had) if (!wanted.has(key)) child.remove();
  let next = parent.firstElementChild;
  for (const [key, build] of rows) {
    if (next?.dataset.key === key) {
      next = next.nextElementSibling;
      continue;
    }
    const element = had.get(key) ?? build();
    element.dataset.key = key;
    parent.insertBefore(element, next);
  }
}

/** Does something once before the next frame is drawn, however often it is asked to. */
export function onceAFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    // A tab in the background draws no frames, and is to know its unread messages all the same.
    const soon = document.hidden ? (then) => setTimeout(then, 200) : requestAnimationFrame;
    soon(() => {
      asked = false;
      work();
    });
  };
}

/** The same after a quiet while. */
export function afterAWhile(work, milliseconds) {
  let timer = null;
  return (...what) => {
    timer ??= setTimeout(() => {
      timer = null;
      work(...what);
    }, milliseconds);
  };
}
