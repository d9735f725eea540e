// What the page knows of the peer: people, groups, conversations and their messages, what is held.

/** Messages of a conversation that a tab keeps at most: beyond that the far end is let go, and fetched again when it is looked at. */
export const MOST = 5000;

export const state = {
  me: null,
  /** By peer id: `{who, present, me, verified, groups}`. */
  people: new Map(),
  /** By name: `{name, member, members}`. */
  groups: new Map(),
  /** By key. */
  conversations: new Map(),
  /** By message id. */
  held: new Map(),
  /** By key of conversation: `{unread, mentions, first}`, as the peer counts. */
  unread: new Map(),
  /** Ids of own messages that are not with everybody who is here, or with nobody yet. */
  undelivered: new Set(),
  /** Ids that were told to be delivered before this tab knew them. */
  early: new Set(),
  /** Own texts that go out later, by number. */
  waiting: new Map(),
  /** What was told last of catching up, where it is shown, and the message above which it stands; null at the end. */
  caughtUp: null,
  open: "all",
  /** The history has not come yet. */
  loading: true,
};

export const keyOfPerson = (person) => `person:${person}`;
export const keyOfGroup = (group) => `group:${group}`;

/** The conversation that a message belongs to. */
export function keyOf(to) {
  if (to === "all") return "all";
  if (to.group !== undefined) return keyOfGroup(to.group);
  if (to.direct !== undefined) return keyOfPerson(to.direct.person);
  return `people:${to.people.map((who) => who.person).sort().join(",")}`;
}

/** Whom a conversation is with, as a request says it: by key, which means nobody else, whatever names there are. */
export function targetOf(key) {
  if (key === "all") return "all";
  const [kind, rest] = split(key);
  if (kind === "people") return { people: rest.split(",") };
  return { name: kind === "group" ? key : rest };
}

export function split(key) {
  const at = key.indexOf(":");
  return [key.slice(0, at), key.slice(at + 1)];
}

export function labelOf(person) {
  return state.people.get(person)?.who.label ?? `…${person.slice(-8)}`;
}

export function titleOf(key) {
  if (key === "all") return "Everybody";
  const [kind, rest] = split(key);
  if (kind === "group") return rest;
  return rest.split(",").map(labelOf).join(", ");
}

/** The conversation of that key; it begins here if there was none. */
export function conversation(key) {
  let found = state.conversations.get(key);
  if (!found) {
    found = { key, firstUnread: null, ...nothing() };
    state.conversations.set(key, found);
  }
  return found;
}

/** No messages: of a history without gaps, whose beginning (`whole`) and end (`live`) are here or not. */
const nothing = () => ({ messages: [], ids: new Set(), whole: false, live: true, missed: 0, asking: false });

/** Takes a person as a message or an event names them. */
export function meet(who, present) {
  const known = state.people.get(who.person);
  const me = who.person === state.me?.person;
  state.people.set(who.person, {
    who, me, present: present ?? known?.present ?? me, verified: known?.verified ?? false, groups: known?.groups ?? [],
    listed: known?.listed ?? present !== undefined,
  });
}

/** Begins anew with a session: between two of them anything may have been missed. */
export function forgetMessages() {
  for (const map of [state.held, state.unread, state.undelivered, state.early, state.waiting]) map.clear();
  for (const talk of state.conversations.values()) Object.assign(talk, nothing());
}

export function setUsers(users) {
  for (const person of state.people.values()) Object.assign(person, { listed: false, present: false });
  users.forEach(setUser);
}

export function setUser(user) {
  state.people.set(user.who.person, { ...user, listed: true });
}

export function setGroups(groups) {
  state.groups = new Map(groups.map((group) => [group.name, group]));
}

/** A message that was just delivered. */
export function append(message) {
  const talk = conversation(keyOf(message.to));
  if (talk.ids.has(message.id)) return;
  if (!state.people.has(message.from.person)) meet(message.from);
  if (state.caughtUp?.key === talk.key) state.caughtUp.before ??= message.id;
  if (!talk.live) {
    // The end of the history is somewhere else: it is fetched from there on.
    talk.missed++;
    talk.grew = true;
    return;
  }
  talk.ids.add(message.id);
  talk.messages.push(message);
  if (talk.messages.length > MOST) {
    for (const old of talk.messages.splice(0, MOST / 5)) talk.ids.delete(old.id);
    talk.whole = false;
  }
}

/** A message that was taken back. */
export function withdraw(id) {
  for (const talk of state.conversations.values()) {
    if (talk.ids.delete(id)) talk.messages = talk.messages.filter((message) => message.id !== id);
  }
}

function place(talk, messages) {
  talk.messages = messages;
  talk.ids = new Set(messages.map((message) => message.id));
  for (const message of messages) if (!state.people.has(message.from.person)) meet(message.from);
}

/** The newest messages of a conversation, as the history has them: what came since stays behind them. */
export function merge(key, list) {
  const talk = conversation(key);
  const listed = new Set(list.map((message) => message.id));
  const start = list.length > 0 ? talk.messages.findIndex((message) => message.id === list[0].id) : 0;
  const older = talk.messages.slice(0, Math.max(0, start));
  const newer = talk.messages.slice(Math.max(0, start)).filter((message) => !listed.has(message.id));
  place(talk, [...older, ...list, ...newer]);
}

/** Messages that stand right before those that are here. */
export function prepend(talk, list) {
  const all = [...list, ...talk.messages];
  if (all.length > MOST) talk.live = false;
  place(talk, all.slice(0, MOST));
}

/** Messages that stand right behind those that are here. */
export function extend(talk, list) {
  const all = [...talk.messages, ...list.filter((message) => !talk.ids.has(message.id))];
  if (all.length > MOST) talk.whole = false;
  place(talk, all.slice(-MOST));
}

/** Another part of the history than was here. */
export function show(talk, list, live) {
  Object.assign(talk, nothing(), { live });
  place(talk, list);
}

const READ = { unread: 0, mentions: 0, first: null };

export const unreadOf = (key) => state.unread.get(key) ?? READ;

export function setUnread({ of, unread, mentions, first }) {
  const key = keyOf(of);
  if (unread === 0) state.unread.delete(key);
  else state.unread.set(key, { unread, mentions, first });
  conversation(key);
}
