import { z } from 'zod';
import { ArtifactRecord } from './outcome.ts';

/**
 * Whether a name leads to one place below wherever it is put: a relative path of ordinary parts. Absolute ones, drive letters,
 * parts that lead up or nowhere, and anything of a repository's own folder are refused. Everything else is a file's name, however
 * odd: spaces, newlines, quotes, leading dashes.
 */
export function staysBelow(name: string): boolean {
  if (name.includes('\0') || /^[a-z]:/i.test(name)) return false;
  // Some systems take a backslash for a slash: it may not lead up or into such a folder there either.
  return name.split(/[/\\]/).every((part) => !['', '.', '..', '.git'].includes(part.toLowerCase()));
}

/** The name of an artifact as it comes from a runner. What was recorded before stays readable, whatever its name is. */
export const ArtifactName = ArtifactRecord.shape.name.refine(staysBelow, {
  message: 'a relative path without empty, `.`, `..` or `.git` parts',
});

/** An artifact as a runner announces it. */
export const AnnouncedArtifact = ArtifactRecord.extend({ name: ArtifactName });
export type AnnouncedArtifact = z.infer<typeof AnnouncedArtifact>;
