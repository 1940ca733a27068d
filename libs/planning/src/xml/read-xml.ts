import { SaxesParser } from 'saxes';

/** An element without comments, processing instructions and namespaces' prefixes. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Its own text, without space around. */
  readonly text: string;
}

/** Project files nest a dozen levels and have some thousands of elements. */
const DEPTH_MAX = 64;
const ELEMENTS_MAX = 200_000;
const CHARS_MAX = 4 * 1_024 ** 2;
/** Fed in pieces, so that a refusal in the first is not preceded by work on all of them. */
const PIECE_CHARS = 64 * 1_024;

interface OpenElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/** The root element. Null for what is not well-formed, has a document type, or is larger or deeper than any real file. */
export function readXml(text: string): XmlElement | null {
  if (text.length > CHARS_MAX) return null;
  try {
    return parse(text.replace(/^\uFEFF/u, ''));
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

class Unreadable extends Error {}

function parse(text: string): XmlElement | null {
  const parser = new SaxesParser();
  const open: OpenElement[] = [];
  let root: XmlElement | null = null;
  let elements = 0;
  const refuse = (): never => {
    throw new Unreadable();
  };
  const add = (piece: string): void => {
    const last = open.at(-1);
    if (last !== undefined) last.text += piece;
  };
  parser.on('error', refuse);
  parser.on('doctype', refuse);
  parser.on('opentag', ({ name, attributes }) => {
    elements += 1;
    if (open.length >= DEPTH_MAX || elements > ELEMENTS_MAX) refuse();
    open.push({ name: localName(name), attributes: new Map(Object.entries(attributes)), children: [], text: '' });
  });
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', () => {
    const closed = open.pop();
    if (closed === undefined) return;
    const element = { ...closed, text: closed.text.trim() };
    const parent = open.at(-1);
    if (parent === undefined) root ??= element;
    else parent.children.push(element);
  });
  for (let at = 0; at < text.length; at += PIECE_CHARS) parser.write(text.slice(at, at + PIECE_CHARS));
  parser.close();
  return root;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

export function childrenOf(element: XmlElement | null | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((each) => each.name === name) ?? [];
}

/** Elements at the end of a path of names: `dependencies/dependency`. */
export function elementsAt(element: XmlElement | null | undefined, path: string): readonly XmlElement[] {
  let found = element === null || element === undefined ? [] : [element];
  for (const name of path.split('/')) found = found.flatMap((each) => childrenOf(each, name));
  return found;
}

/** The text at the end of a path; null where there is none. */
export function textAt(element: XmlElement | null | undefined, path: string): string | null {
  const text = elementsAt(element, path)[0]?.text ?? '';
  return text === '' ? null : text;
}

/** Comparable: everything but space, comments and the children that are left out. */
export function xmlText(element: XmlElement, leftOut: (child: XmlElement, parent: XmlElement) => boolean): string {
  const children = element.children
    .filter((child) => !leftOut(child, element))
    .map((child) => xmlText(child, leftOut))
    .join('');
  const attributes = [...element.attributes].map(([name, value]) => ` ${name}=${JSON.stringify(value)}`).join('');
  return `<${element.name}${attributes}>${element.text}${children}</>`;
}

/** Every text of the element and below it: contents and attributes. */
export function textsOf(element: XmlElement): string[] {
  return [element.text, ...element.attributes.values(), ...element.children.flatMap(textsOf)];
}
