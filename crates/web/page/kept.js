// What a browser keeps for one tab, over a reload: drafts and unsent messages.

let person = sessionStorage.getItem("causerie-person") ?? "";

function read(name, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(`causerie-${name}-${person}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(name, value) {
  try {
    sessionStorage.setItem(`causerie-${name}-${person}`, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing shows the page all the same.
  }
}

export const kept = { drafts: {}, outbox: [], open: "all" };

/** Takes what is kept for a person; without an argument for the one of before. */
export function restore(whose = person) {
  person = whose;
  sessionStorage.setItem("causerie-person", person);
  kept.drafts = read("drafts", {});
  kept.outbox = read("outbox", []);
  kept.open = read("open", "all");
}

export const restoredFor = () => person;

export function keepDraft(key, text) {
  if (text === "") delete kept.drafts[key];
  else kept.drafts[key] = text;
  write("drafts", kept.drafts);
}

export function keepOutbox() {
  write("outbox", kept.outbox);
}

export function keepOpen(key) {
  kept.open = key;
  write("open", key);
}

/** Whoever logs out leaves nothing that was typed. */
export function forgetTab() {
  sessionStorage.clear();
  person = "";
}
