// The session of the peer over a WebSocket: requests, answers, events, and connecting again.

const LOGGED_OUT = 4401;

/** Milliseconds until the nth try to connect again. */
const patience = (tries) => Math.min(15000, 500 * 2 ** tries) * (0.75 + Math.random() / 2);

export class Wire {
  #socket = null;
  #asked = new Map();
  #last = 0;
  #tries = 0;
  #timer = null;
  /** Nobody has closed it. */
  #wanted = false;

  /** `on` has `line` (an event or a hello), `state` ("on", "off") and `loggedOut`. */
  constructor(on) {
    this.on = on;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    this.#wanted = true;
    clearTimeout(this.#timer);
    if (this.#socket !== null) return;
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/session`);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = ({ code }) => {
      this.#socket = null;
      this.#fail();
      this.on.state("off");
      if (!this.#wanted) return;
      if (code === LOGGED_OUT) this.on.loggedOut();
      else this.#again();
    };
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  /** The answer to a command; it fails with what is wrong, or with `lost` set if the connection has gone before the answer. */
  ask(command, fields = {}) {
    return new Promise((done, failed) => {
      if (!this.isOpen) return failed(lost());
      const id = ++this.#last;
      this.#asked.set(id, { done, failed });
      this.#socket.send(JSON.stringify({ id, command, ...fields }));
    });
  }

  #hear(data) {
    const line = JSON.parse(data);
    if (line.hello !== undefined) {
      this.#tries = 0;
      this.on.state("on");
    }
    if (line.answer === undefined && line.error === undefined) {
      this.on.line(line);
      return;
    }
    const asked = this.#asked.get(line.id);
    this.#asked.delete(line.id);
    if (line.error === undefined) asked?.done(line);
    else asked?.failed(new Error(line.error));
  }

  #fail() {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { failed } of asked) failed(lost());
  }

  /** A refused upgrade looks like a peer that is away: a plain request tells them apart. */
  async #again() {
    try {
      const { status } = await fetch("/login");
      if (!this.#wanted) return;
      if (status === 401) {
        this.on.loggedOut();
        return;
      }
    } catch {
      // The peer is away.
    }
    this.#timer = setTimeout(() => this.connect(), patience(this.#tries++));
  }
}

function lost() {
  return Object.assign(new Error("the connection to the peer was lost"), { lost: true });
}

/** Sends what only the page's own script may ask for. */
export function post(path, body = "") {
  return fetch(path, { method: "POST", headers: { "X-Causerie": "1" }, body });
}
