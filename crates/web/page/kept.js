// What a browser keeps: what was read (for good), and drafts and unsent messages (for one tab, over a reload).

let person = sessionStorage.getItem("causerie-person") ?? "";

function read(storage, name, otherwise) {
  try {
    return JSON.parse(storage.getItem(`causerie-${name}-${person}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(storage, name, value) {
  try {
    storage.setItem(`causerie-${name}-${person}`, JSON.stringify(value));
  } catch {
    // A browser that keeps nothing shows the page all the same.
  }
}

export const kept = { drafts: {}, outbox: [], open: "all", marks: {} };

/** Takes what is kept for a person; without an argument for the one of before. */
export function restore(whose = person) {
  person = whose;
  sessionStorage.setItem("causerie-person", person);
  kept.drafts = read(sessionStorage, "drafts", {});
  kept.outbox = read(sessionStorage, "outbox", []);
  kept.open = read(sessionStorage, "open", "all");
  kept.marks = read(localStorage, "read", {});
}

export const restoredFor = () => person;

export function keepDraft(key, text) {
  if (text === "") delete kept.drafts[key];
  else kept.drafts[key] = text;
  write(sessionStorage, "drafts", kept.drafts);
}

export function keepOutbox() {
  write(sessionStorage, "outbox", kept.outbox);
}

export function keepOpen(key) {
  kept.open = key;
  write(sessionStorage, "open", key);
}

/** Another tab may have read something else meanwhile. */
export function keepRead(key, id) {
  if (kept.marks[key] === id) return;
  kept.marks = { ...read(localStorage, "read", {}), [key]: id };
  write(localStorage, "read", kept.marks);
}

/** Whoever logs out leaves nothing that was typed. */
export function forgetTab() {
  sessionStorage.clear();
  person = "";
}
