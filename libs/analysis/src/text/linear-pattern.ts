import { RE2JS } from 're2js';

/** What a pattern found: the whole match under `match`, and named groups that took part. */
export type Groups = Readonly<Partial<Record<string, string>>>;

/** A pattern of the linear-time engine: its work grows with the text and never explodes. */
export interface LinearPattern {
  readonly source: string;
  find(text: string): Groups | null;
}

/** Compiles a pattern of RE2's syntax. @throws when it is none: patterns are our own data. */
export function linearPattern(source: string): LinearPattern {
  const compiled = RE2JS.compile(source);
  const names = Object.keys(compiled.namedGroups());
  return {
    source,
    find: (text) => {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return null;
      const groups: Partial<Record<string, string>> = { match: matcher.group() ?? '' };
      for (const name of names) {
        const value = matcher.group(name);
        if (value !== null) groups[name] = value;
      }
      return groups;
    },
  };
}
