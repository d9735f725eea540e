// The way in: a one-time link to the page of one peer, or the accounts of a host. It is a document of its own, so what the
// chat knew of a person goes with the chat's document when they log out.

import { harmless, make, the } from "./dom.js";
import { namesUsed, nameUsed } from "./used.js";
import { post } from "./wire.js";

/** What people are told who come from the chat's document. */
const WHY = "causerie-why";
const NOT_IN = "You are not logged in.";

function say(text) {
  the("gate-why").textContent = harmless(text);
}

/** Into the chat. Other tabs of this browser that stand here are told to come along. */
function enter() {
  localStorage.setItem("causerie-login", String(Date.now()));
  location.replace("/");
}

// ---- by a link

export function codeIn(text) {
  return text.trim().match(/(?:^|#)([0-9a-f]{32})$/)?.[1];
}

async function byCode(code) {
  const answer = await post("/login", code).catch(() => null);
  if (answer?.status === 204) return enter();
  say(answer ? "That link was used already, or is older than two minutes." : "The peer does not answer.");
  the("gate-code").focus();
}

function beginLink() {
  the("by-link").hidden = false;
  the("gate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const code = codeIn(the("gate-code").value);
    the("gate-code").value = "";
    if (code) byCode(code);
    else say("That is no link of this page.");
  });
  the("gate-code").focus();
}

// ---- with an account

function show(section) {
  for (const id of ["log-in", "register"]) the(id).hidden = id !== section;
  const empty = [...the(section).querySelectorAll("input")].find((input) => input.value === "" && !input.closest("[hidden]"));
  empty?.focus();
}

/** Sends a form whose answer leads into the chat. A second one does not overtake it. */
async function send(form, path, fields) {
  const button = form.querySelector(".primary");
  if (button.disabled) return;
  button.disabled = true;
  say("");
  const answer = await post(path, JSON.stringify(fields)).catch(() => null);
  for (const input of form.querySelectorAll("[type=password]")) input.value = "";
  strength();
  button.disabled = false;
  if (answer?.status === 204) {
    nameUsed(fields.name);
    return enter();
  }
  say(answer ? await answer.text() : "The host does not answer. Try again when it is back.");
  show(form.closest("section").id);
}

/** The names that this browser has logged in with, to choose from. */
function showKnown() {
  const names = namesUsed();
  const name = the("log-in-name");
  const mark = () => {
    for (const button of the("known").children) button.setAttribute("aria-pressed", String(button.textContent === name.value));
  };
  const buttons = names.map((known) => {
    const button = make("button", "", harmless(known), { type: "button" });
    button.addEventListener("click", () => {
      name.value = known;
      mark();
      the("log-in-passphrase").focus();
    });
    return button;
  });
  the("known").replaceChildren(...buttons);
  the("known").hidden = names.length === 0;
  name.addEventListener("input", mark);
  if (names.length > 0) name.value = names[0];
  mark();
}

function strength() {
  const letters = [...the("register-passphrase").value].length;
  let text = "";
  if (letters >= 16) text = "Long: hard to guess.";
  else if (letters >= 10) text = "Fair. Longer is better: four or five words, say.";
  else if (letters > 0) text = "Short: easy to guess. Take four or five words that do not belong together.";
  the("strength").textContent = text;
}

function register(event) {
  event.preventDefault();
  const [name, passphrase, again, code] = ["name", "passphrase", "again", "code"].map((field) => the(`register-${field}`).value);
  if (passphrase !== again) {
    the("register-again").value = "";
    the("register-again").focus();
    return say("The two passphrases differ. Type the second one again.");
  }
  send(event.target, "/register", { name, passphrase, code });
}

function beginAccounts(registration) {
  showKnown();
  the("log-in-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target, "/login", { name: the("log-in-name").value, passphrase: the("log-in-passphrase").value });
  });
  the("no-account").hidden = registration === "closed";
  the("with-code").hidden = registration !== "code";
  the("register-code").required = registration === "code";
  the("register-form").addEventListener("submit", register);
  the("register-passphrase").addEventListener("input", strength);
  the("to-register").addEventListener("click", () => show("register"));
  the("to-log-in").addEventListener("click", () => show("log-in"));
  show("log-in");
}

// ---- which of them

async function begin() {
  const why = sessionStorage.getItem(WHY);
  sessionStorage.removeItem(WHY);
  addEventListener("storage", (event) => {
    if (event.key === "causerie-login") location.replace("/");
  });
  // The code leaves the address and the history at once.
  const code = codeIn(location.hash);
  if (location.hash !== "") history.replaceState(null, "", "/enter");
  const offered = await fetch("/entry").then((answer) => answer.json()).catch(() => null);
  if (offered === null) return say("The host does not answer. Load this page again when it is back.");
  if (offered.registration === undefined) {
    beginLink();
    if (code) return byCode(code);
    say(why || NOT_IN);
  } else {
    beginAccounts(offered.registration);
    // A browser that was never in is not told that it is out.
    say(why || (namesUsed().length > 0 ? NOT_IN : ""));
  }
  if (offered.logged_in) location.replace("/");
}

begin();
