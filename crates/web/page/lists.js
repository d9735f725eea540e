// The lists at the sides: conversations, what is found, and people.

import { make, named, reconcile, the } from "./dom.js";
import { kept } from "./kept.js";
import { mark } from "./keys.js";
import { keyOfGroup, keyOfPerson, split, state, titleOf, unreadOf } from "./state.js";

let act = null;

/** `actions` has `open(key)`, `join(group)` and `create(group)`. */
export function begin(actions) {
  act = actions;
  for (const list of [the("conversations"), the("people")]) {
    list.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step || !event.target.matches(".row")) return;
      const rows = [...list.querySelectorAll(".row")];
      rows[rows.indexOf(event.target) + step]?.focus();
      event.preventDefault();
    });
  }
}

/** What the left list shows, from top to bottom. */
export function keysInOrder() {
  const newest = (key) => state.conversations.get(key)?.messages.at(-1)?.sent_at ?? 0;
  const mine = [...state.groups.values()].filter((group) => group.member).map((group) => keyOfGroup(group.name));
  const groups = new Set(mine);
  const people = new Set();
  for (const [key, talk] of state.conversations) {
    const unread = unreadOf(key).unread > 0;
    if (key === "all" || (talk.messages.length === 0 && key !== state.open && !kept.drafts[key] && !unread)) continue;
    if (split(key)[0] === "group") {
      if (key === state.open || unread) groups.add(key);
    } else people.add(key);
  }
  const byName = (a, b) => titleOf(a).localeCompare(titleOf(b));
  return { all: ["all"], groups: [...groups].sort(byName), people: [...people].sort((a, b) => newest(b) - newest(a)) };
}

export function renderConversations() {
  const wanted = the("find").value.trim();
  const rows = wanted === "" ? ours() : found(wanted);
  reconcile(the("conversations"), rows);
  let unread = 0;
  for (const of of state.unread.values()) unread += of.unread;
  const other = unread - unreadOf(state.open).unread;
  the("unread-all").textContent = other > 0 ? number(other) : "";
  the("show-left").setAttribute("aria-label", other > 0 ? `Conversations, ${other} unread` : "Conversations");
  document.title = `${unread > 0 ? `(${unread}) ` : ""}${state.me?.label ?? ""} – causerie`;
}

const number = (count) => (count > 99 ? "99+" : String(count));

function part(text) {
  return [`part ${text}`, () => make("h2", "part", text)];
}

function ours() {
  const { all, groups, people } = keysInOrder();
  const rows = all.map(conversationRow);
  rows.push(part("Groups"), ...groups.map(conversationRow));
  if (groups.length === 0) rows.push(["no groups", () => make("p", "part", "Name one above to make or join it.")]);
  if (people.length > 0) rows.push(part("People"), ...people.map(conversationRow));
  return rows;
}

function sign(key) {
  const [kind, rest] = split(key);
  if (key === "all") return make("span", "sign", "∗", { "aria-hidden": "true" });
  if (kind === "group") return make("span", "sign", "#", { "aria-hidden": "true" });
  const person = state.people.get(rest);
  return make("span", person?.present ? "dot here" : "dot", "", { "aria-hidden": "true" });
}

function conversationRow(key) {
  const { unread, mentions } = unreadOf(key);
  const title = titleOf(key);
  const [, rest] = split(key);
  const person = state.people.get(rest);
  const draft = Boolean(kept.drafts[key]) && key !== state.open;
  const build = () => {
    const row = make("button", unread > 0 ? "row unread" : "row", [sign(key), named(title, "name"), ...mark(person)], { type: "button" });
    if (key === state.open) row.setAttribute("aria-current", "true");
    if (draft) row.append(make("span", "more", "draft"));
    if (unread > 0) {
      const isForMe = mentions > 0 || !(key === "all" || split(key)[0] === "group");
      const said = mentions === 0 ? "unread" : `unread, ${mentions === 1 ? "one names" : `${mentions} name`} you`;
      if (mentions > 0) row.append(make("span", "badge mention", "@", { "aria-hidden": "true" }));
      row.append(make("span", isForMe ? "badge" : "badge quieter", number(unread)), make("span", "sr", said));
    }
    row.addEventListener("click", () => act.open(key));
    return row;
  };
  return [`${key} ${unread} ${mentions} ${title} ${person?.present} ${person?.verified} ${draft} ${key === state.open}`, build];
}

/** People and groups whose names have the wanted text in them, and the group that could be made of it. */
function found(wanted) {
  const fits = (name) => name.toLocaleLowerCase().includes(wanted.toLocaleLowerCase());
  const rows = [];
  const groups = [...state.groups.values()].filter((group) => fits(group.name));
  for (const group of groups) rows.push(groupFound(group));
  const people = [...state.people.values()].filter((person) => !person.me && fits(person.who.label));
  for (const person of people) rows.push(personRow(person));
  if (!state.groups.has(wanted)) {
    const build = () => {
      const row = make("button", "row", [make("span", "sign", "+", { "aria-hidden": "true" })], { type: "button" });
      row.append(make("span", "name", ["Create the group ", named(wanted)]));
      row.addEventListener("click", () => act.create(wanted));
      return row;
    };
    rows.push([`create ${wanted}`, build]);
  }
  return rows;
}

function groupFound(group) {
  const members = group.members.length;
  const count = members === 1 ? "1 member" : `${members} members`;
  const more = group.member ? count : `join · ${count}`;
  const build = () => {
    const row = make("button", "row", [sign(keyOfGroup(group.name)), named(group.name, "name")], { type: "button" });
    row.append(make("span", "more", more));
    row.addEventListener("click", () => (group.member ? act.open(keyOfGroup(group.name)) : act.join(group.name)));
    return row;
  };
  return [`found ${group.name} ${more}`, build];
}

function personRow(person) {
  const key = keyOfPerson(person.who.person);
  const build = () => {
    const name = [named(person.who.label, "name"), ...mark(person)];
    const row = make("button", person.present ? "row" : "row away", [sign(key), ...name], { type: "button" });
    row.append(make("span", person.me ? "more" : "sr", person.me ? "you" : person.present ? "here" : "away"));
    if (person.me) row.disabled = true;
    else row.addEventListener("click", () => act.open(key));
    return row;
  };
  return [`person ${key} ${person.present} ${person.verified} ${person.who.label}`, build];
}

/** The people of the open conversation. */
export function peopleOf(key) {
  const [kind, rest] = split(key);
  const everybody = [...state.people.values()].filter((person) => person.listed || person.me);
  if (kind === "group") return everybody.filter((person) => person.groups.includes(rest));
  if (key === "all") return everybody;
  const ids = rest.split(",");
  return everybody.filter((person) => person.me || ids.includes(person.who.person));
}

export function renderPeople() {
  const people = peopleOf(state.open).sort((a, b) => a.who.label.localeCompare(b.who.label));
  const here = people.filter((person) => person.present || person.me);
  const away = people.filter((person) => !person.present && !person.me);
  the("people-title").textContent = `People · ${here.length} here`;
  const rows = here.map(personRow);
  if (away.length > 0) rows.push(part("Away"), ...away.map(personRow));
  reconcile(the("people"), rows);
}
