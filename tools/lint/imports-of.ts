import { parseSync } from '@swc/core';

/** How a dynamic import of a computed name is listed. */
export const COMPUTED = '<computed>';

/** One import of a source file, whatever its form: static, re-exported, dynamic, a type or `require`. */
const moduleForms: Readonly<Record<string, string>> = {
  ImportDeclaration: 'source',
  ExportNamedDeclaration: 'source',
  ExportAllDeclaration: 'source',
  TsImportType: 'argument',
  TsExternalModuleReference: 'expression',
};

/**
 * Lists every module that a source file names, in the order of the text, types included: a type is an arrow between
 * rooms as well. A dynamic import of a computed name is listed as `<computed>`, which only the loaders of the table may do.
 *
 * @throws when the text is not TypeScript or JavaScript that parses.
 */
export function importsOf(source: string): readonly string[] {
  const found: string[] = [];
  walk(parseSync(source, { syntax: 'typescript', decorators: true, target: 'es2024' }), found);
  return found;
}

function walk(node: unknown, found: string[]): void {
  if (Array.isArray(node)) {
    for (const child of node) walk(child, found);
  } else if (isSyntax(node)) {
    const name = namedModule(node);
    if (name !== undefined) found.push(name);
    for (const child of Object.values(node)) walk(child, found);
  }
}

type Syntax = Readonly<Record<string, unknown>>;

const isSyntax = (node: unknown): node is Syntax => typeof node === 'object' && node !== null;

function namedModule(node: Syntax): string | undefined {
  const form = moduleForms[String(node['type'])];
  if (form !== undefined) return literal(node[form]);
  if (node['type'] !== 'CallExpression' || !loadsModule(node['callee'])) return undefined;
  return firstArgument(node['arguments']) ?? COMPUTED;
}

/** `import(...)`, `require(...)`, and `require.resolve(...)`, by which programs of packages are found. */
const loadsModule = (callee: unknown): boolean =>
  isSyntax(callee) && (callee['type'] === 'Import' || isRequire(callee) || resolves(callee));

const isRequire = (node: unknown): boolean =>
  isSyntax(node) && node['type'] === 'Identifier' && node['value'] === 'require';

const resolves = (callee: Syntax): boolean => {
  const { property } = callee;
  return (
    callee['type'] === 'MemberExpression' &&
    isRequire(callee['object']) &&
    isSyntax(property) &&
    property['value'] === 'resolve'
  );
};

function firstArgument(given: unknown): string | undefined {
  const first: unknown = Array.isArray(given) ? given[0] : undefined;
  return isSyntax(first) ? literal(first['expression']) : undefined;
}

const literal = (node: unknown): string | undefined =>
  isSyntax(node) && node['type'] === 'StringLiteral' ? String(node['value']) : undefined;
