const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text of strangers in a page: as an element's text, and between the quotes of an attribute. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => ESCAPED[character] ?? '');
}

/** A piece of a page; whatever is put into it is escaped. */
export function markup(strings: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return String.raw({ raw: strings }, ...values.map((value) => escaped(String(value))));
}
