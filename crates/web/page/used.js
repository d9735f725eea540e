// The names of the accounts that this browser has logged in with, the last one first. They are no secret: each was the name that
// everybody in the chat saw at first.

const KEY = "causerie-names";
const MOST = 8;

export function namesUsed() {
  try {
    const names = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(names) ? names.filter((name) => typeof name === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

function keep(names) {
  localStorage.setItem(KEY, JSON.stringify(names.slice(0, MOST)));
}

export function nameUsed(name) {
  keep([name, ...namesUsed().filter((other) => other !== name)]);
}

/** The account is gone. */
export function forgetName(name) {
  keep(namesUsed().filter((other) => other !== name));
}
