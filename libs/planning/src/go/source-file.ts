import { asRecord, asText, asTexts, memberOf } from '../parsed-values.ts';

/** What planning needs of a `.go` file: a small part of it, and all that is kept. */
export interface GoFile {
  /** Its package clause; empty when it has none. */
  readonly packageName: string;
  /** As written, in order; without repeats. */
  readonly imports: readonly string[];
  /** The expression of `//go:build`; null without one. */
  readonly constraint: string | null;
  /** Patterns of `//go:embed`. */
  readonly embeds: readonly string[];
  /** Paths that lead out of the file's folder, as in `"../testdata/x.json"` or `filepath.Join("..", "docs", name)`. */
  readonly outside: readonly OutsidePath[];
  /** Words of its literals that may name a package, as in `"go run ./cmd/gen"` or `"example.org/shop/cmd/gen"`. */
  readonly named: readonly string[];
}

export interface OutsidePath {
  readonly path: string;
  /** Whether something that is not written there follows it. */
  readonly open: boolean;
  /** Whether it is dots alone and not seen to be used: tests mean a folder by it, other code works on paths. */
  readonly bare?: true;
}

/** More of anything than a file has that people or generators write. */
const MANY = 10_000;

/** The file in short, as text. Null for one that has more of something than any real one: it is left as it is, unreadable. */
export function condenseGoFile(text: string): string | null {
  const file = scanGoFile(text);
  const longest = Math.max(file.imports.length, file.embeds.length, file.outside.length, file.named.length);
  return longest > MANY ? null : JSON.stringify(file);
}

/** Reads what `condenseGoFile` wrote. */
export function readGoFile(condensed: string): GoFile | null {
  let value: unknown;
  try {
    value = JSON.parse(condensed);
  } catch {
    return null;
  }
  const packageName = asText(memberOf(value, 'packageName'));
  const imports = asTexts(memberOf(value, 'imports'));
  const embeds = asTexts(memberOf(value, 'embeds'));
  const outside = memberOf(value, 'outside');
  const named = asTexts(memberOf(value, 'named'));
  if (packageName === null || imports === null || embeds === null || named === null) return null;
  if (!Array.isArray(outside)) return null;
  return {
    packageName,
    imports,
    constraint: asText(memberOf(value, 'constraint')),
    embeds,
    outside: outside.flatMap((each: unknown): OutsidePath[] => {
      const path = asText(asRecord(each)?.['path']);
      const bare = memberOf(each, 'bare') === true ? { bare: true as const } : {};
      return path === null ? [] : [{ path, open: memberOf(each, 'open') === true, ...bare }];
    }),
    named,
  };
}

/** Comments and literals of every form, each to its end or the end of the text: the time is that of reading it once. */
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|`[^`]*`?|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[\p{L}_][\p{L}\p{N}_]*|[();]/gu;
const LITERAL = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|`[^`]*`?|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?/gu;

function scanGoFile(text: string): GoFile {
  const header = scanHeader(text);
  const body = scanBody(text, header.end);
  return {
    packageName: header.packageName,
    imports: [...new Set(header.imports)],
    constraint: header.constraint ?? oldConstraint(header.comments),
    embeds: body.embeds,
    outside: [
      ...(header.imports.includes('C') ? header.compiled.map((path) => ({ path, open: false })) : []),
      ...body.outside,
    ],
    named: body.named,
  };
}

interface Header {
  readonly packageName: string;
  readonly imports: readonly string[];
  readonly constraint: string | null;
  readonly comments: readonly string[];
  /** Paths out of the folder in comments behind the package clause, which are C where that is imported. */
  readonly compiled: readonly string[];
  /** Where the declarations begin. */
  readonly end: number;
}

/** Up to the first declaration that is no import. */
function scanHeader(text: string): Header {
  let packageName = '';
  let constraint: string | null = null;
  let end = 0;
  let awaits: 'package' | 'import' | null = null;
  let inBlock = false;
  const imports: string[] = [];
  const comments: string[] = [];
  const compiled = new Set<string>();
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const isComment = token.startsWith('//') || token.startsWith('/*');
    if (isComment && packageName !== '') {
      for (const path of pathsOfPreamble(token)) compiled.add(path);
      continue;
    }
    if (isComment) {
      comments.push(token);
      if (token.startsWith('//go:build ')) constraint ??= token.slice(11).trim();
    } else if (awaits === 'package') {
      packageName = token;
      awaits = null;
    } else if (isString(token) && awaits === 'import') {
      imports.push(unquoted(token));
      if (!inBlock) awaits = null;
    } else if (token === '(' && awaits === 'import') inBlock = true;
    else if (token === ')' && inBlock) {
      inBlock = false;
      awaits = null;
    } else if (token === 'package' && packageName === '') awaits = 'package';
    else if (token === 'import' && awaits === null) awaits = 'import';
    else if (awaits === null && token !== ';') break;
    end = index + token.length;
  }
  return { packageName, imports, constraint, comments, compiled: [...compiled], end };
}

/** `#include "../inc/x.h"`, and folders that `#cgo` lines name with `${SRCDIR}/..` or `-I..`. */
const PREAMBLE = /^[ \t/]*#[ \t]*(?:include[ \t]*"(?<file>\.\.[^"\n]*)"|cgo[ \t](?<flags>[^\n]*))/gmu;
const FLAG_PATH = /\$\{SRCDIR\}\/(?<own>[^\s"':]+)|-[IL][ \t]?["']?(?<other>\.\.[^\s"':]*)/gu;

function pathsOfPreamble(comment: string): string[] {
  return [...comment.matchAll(PREAMBLE)].flatMap(({ groups }) => {
    const flags = [...(groups?.['flags'] ?? '').matchAll(FLAG_PATH)];
    const paths = [groups?.['file'], ...flags.map((flag) => flag.groups?.['own'] ?? flag.groups?.['other'])];
    return paths.filter((path) => path !== undefined);
  });
}

const isString = (token: string): boolean => token.startsWith('"') || token.startsWith('`');

function unquoted(token: string): string {
  return token.replace(/^["`]|["`]$/gu, '');
}

/** `// +build linux,amd64 darwin` before there was `//go:build`: lines are all needed, words are alternatives. */
function oldConstraint(comments: readonly string[]): string | null {
  const lines = comments.flatMap((comment) => {
    const words = /^\/\/\s*\+build\s+(?<words>.*)$/u.exec(comment)?.groups?.['words'];
    if (words === undefined) return [];
    const alternatives = words.trim().split(/\s+/u);
    return [`(${alternatives.map((word) => `(${word.replaceAll(',', ' && ')})`).join(' || ')})`];
  });
  return lines.length === 0 ? null : lines.join(' && ');
}

interface Body {
  readonly embeds: readonly string[];
  readonly outside: readonly OutsidePath[];
  readonly named: readonly string[];
}

/** A path of names, long enough for any package. */
const NAMED = /^(?=.{3,200}$)[\w.~-]+(?:\/[\w.~-]+)+$/u;

function wordsThatName(literal: string): string[] {
  return literal.includes('/') ? literal.split(/(?:\\.|[\s"'=])+/u).filter((word) => NAMED.test(word)) : [];
}

/** Literals that follow each other as arguments are one path: `"..", "docs"`. */
function scanBody(text: string, from: number): Body {
  const embeds = new Set<string>();
  const outside = new Map<string, OutsidePath>();
  const named = new Set<string>();
  let run: { readonly parts: string[]; readonly start: number; end: number } | null = null;
  const close = (): void => {
    for (const path of run === null ? [] : pathsOfRun(text, run)) outside.set(JSON.stringify(path), path);
    run = null;
  };
  LITERAL.lastIndex = from;
  for (let match = LITERAL.exec(text); match !== null; match = LITERAL.exec(text)) {
    const { 0: token, index } = match;
    const end = index + token.length;
    if (token.startsWith('//')) {
      if (token.startsWith('//go:embed ')) embedded(token.slice(11)).forEach((each) => embeds.add(each));
    } else if (isString(token)) {
      const part = unquoted(token);
      for (const word of wordsThatName(part)) named.add(word);
      const open: { readonly parts: string[]; readonly start: number; end: number } | null = run;
      if (open !== null && !LEADS_OUT.test(part) && isComma(text, open.end, index)) {
        open.parts.push(part);
        open.end = end;
      } else {
        close();
        if (/^\.\.(?:\/|$)/u.test(part)) run = { parts: [part], start: index, end };
      }
    }
  }
  close();
  return { embeds: [...embeds], outside: [...outside.values()], named: [...named] };
}

/** Space between two arguments is a line break and some tabs. */
const SPACE_MAX = 80;

function isComma(text: string, from: number, to: number): boolean {
  return to - from <= SPACE_MAX && /^\s*,\s*$/u.test(text.slice(from, to));
}

/** A path that is only dots is one where it is used as one; anywhere else it is looked for in other paths. */
const TAKES_FOLDER = /(?:\b(?:Join|Abs|DirFS|Chdir|ReadDir|WalkDir|Walk|EvalSymlinks)\(|\bDir\s?[:=]{1,2}\s?)$/u;
/** Compared with, or looked for in something. */
const TAKES_TEXT = /(?:[=!]=\s?|\b(?:HasPrefix|HasSuffix|Contains|Index|Trim\w*|Split\w*|Replace\w*|Count)\([^()]*)$/u;

/** With a name behind the dots: of several such in a list each is a path of its own. */
const LEADS_OUT = /^\.\.\/[./]*[^./]/u;

interface Run {
  readonly parts: readonly string[];
  readonly start: number;
  readonly end: number;
}

/** What begins with a whole path may be that and arguments behind it: `"build", "../cmd/gen", "-v"`. */
function pathsOfRun(text: string, run: Run): OutsidePath[] {
  const whole = outsidePath(text, run);
  const [first = ''] = run.parts;
  return [
    ...(whole === null ? [] : [whole]),
    ...(run.parts.length > 1 && LEADS_OUT.test(first) ? [{ path: first, open: false }] : []),
  ];
}

function outsidePath(text: string, run: Run): OutsidePath | null {
  const written = run.parts.join('/');
  // `../...` is everything below, for the go command.
  const path = written.replace(/\/\.\.\.$/u, '');
  const before = text.slice(Math.max(0, run.start - 40), run.start);
  const bare = path === written && /^[./]*$/u.test(path) && !TAKES_FOLDER.test(before);
  if (bare) return TAKES_TEXT.test(before) ? null : { path, open: false, bare };
  const after = text.slice(run.end, run.end + SPACE_MAX).trimStart();
  // `"../x" + name` continues the last part, `"..", name` begins another.
  if (after.startsWith('+')) return { path: path.slice(0, Math.max(0, path.lastIndexOf('/'))), open: true };
  return { path, open: after.startsWith(',') };
}

/** `assets/* "with space.txt" all:dir`. */
function embedded(text: string): string[] {
  const patterns = text.match(/"[^"]*"|`[^`]*`|\S+/gu) ?? [];
  return patterns.map((pattern) => unquoted(pattern).replace(/^all:/u, ''));
}
