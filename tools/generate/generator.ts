/** Something that writes pages from schemas or tables. Add one by adding it to the list in `generators.ts`. */
export interface Generator {
  /** What it writes, in a few words. */
  readonly title: string;
  /** The files, by path from the repository's root, with their whole text. Pure: the same tables give the same text. */
  readonly files: () => Promise<GeneratedFiles>;
}

export type GeneratedFiles = Readonly<Record<string, string>>;

/** Says at the top of every generated page where it comes from. */
export function generatedFrom(source: string): string {
  return `<!-- Generated from ${source} by \`npm run generate\`: change that, never this page. -->\n\n`;
}
