import { inspect } from 'node:util';

/**
 * Shortest text that is searched for in log lines. Shorter values ("postgres", "admin") are ordinary words: hiding them
 * everywhere would make logs unreadable without making anything safer.
 */
const SEARCHABLE_LENGTH_MIN = 12;

export interface SecretOptions {
  /** What is printed in its place. */
  readonly shown?: string;
  /** The shortest text to search for in log lines, in characters. */
  readonly searchableFrom?: number;
}

/**
 * A value that never prints: templates, JSON, `console.log` and the logger show what it is, not what it holds.
 * `reveal()` is the only way to the value, so every use of a secret can be found by that word.
 */
export class Secret {
  readonly #value: string;
  readonly #shown: string;
  readonly #searchableFrom: number;

  constructor(value: string, { shown = '[secret]', searchableFrom = SEARCHABLE_LENGTH_MIN }: SecretOptions = {}) {
    this.#value = value;
    this.#shown = shown;
    this.#searchableFrom = searchableFrom;
  }

  reveal(): string {
    return this.#value;
  }

  /** Texts to look for in log lines and hide: the value itself and, of a URL, its password. */
  searchable(): string[] {
    const password = URL.canParse(this.#value) ? new URL(this.#value).password : '';
    return [this.#value, password, decodePercents(password)].filter((text) => text.length >= this.#searchableFrom);
  }

  toString(): string {
    return this.#shown;
  }

  toJSON(): string {
    return this.#shown;
  }

  [inspect.custom](): string {
    return this.#shown;
  }
}

/** A URL as a secret that still shows where it leads: user name and password are hidden, the query is dropped. */
export function secretOfUrl(text: string): Secret {
  const url = new URL(text);
  const credentials = url.username === '' && url.password === '' ? '' : '***@';
  return new Secret(text, { shown: `${url.protocol}//${credentials}${url.host}${url.pathname}` });
}

function decodePercents(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
