import type { KeptImage } from '@delta-ci/sandbox';
import { localImages, localImagesDirectory } from '../local/machine/local-images.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { ageText, bytesText, plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

export interface ImageOptions {
  readonly json?: boolean;
}

/** `delta images list`: what `delta run` keeps unpacked on this machine. */
export async function listImages(surroundings: Surroundings, { json }: ImageOptions): Promise<ExitCode> {
  const images = await localImages(surroundings).list();
  const directory = localImagesDirectory(surroundings);
  if (json === true) printJson(surroundings, { directory, images });
  else if (images.length === 0) surroundings.out(`no images are kept in ${safeLine(directory)}\n`);
  else surroundings.out(`${imageTable(surroundings, images)}\nkept in ${safeLine(directory)}\n`);
  return EXIT.succeeded;
}

/** `delta images remove`: by name or digest; jobs that name them again have them fetched again. */
export async function removeImages(
  surroundings: Surroundings,
  wanted: readonly string[],
  { json }: ImageOptions,
): Promise<ExitCode> {
  const store = localImages(surroundings);
  const images = await store.list();
  const fits = ({ name, digest }: KeptImage, text: string): boolean => text === name || text === digest;
  const unknown = wanted.find((text) => !images.some((image) => fits(image, text)));
  if (unknown !== undefined) {
    throw new Problem('not_found', `this machine keeps no image ${unknown}`, {
      next: 'see what it keeps: delta images list; nothing was removed',
    });
  }
  const removed: KeptImage[] = [];
  for (const image of images.filter((each) => wanted.some((text) => fits(each, text)))) {
    if (await store.remove(image.digest)) {
      removed.push(image);
      continue;
    }
    throw new Problem('image_in_use', `a job uses ${image.name ?? image.digest}: it stays`, {
      next: `try again when the job is over; ${plural(removed.length, 'image')} of those you named ${removed.length === 1 ? 'is' : 'are'} gone`,
    });
  }
  if (json === true) printJson(surroundings, { removed });
  else surroundings.out(`${plural(removed.length, 'image')} removed\n`);
  return EXIT.succeeded;
}

function imageTable(surroundings: Surroundings, images: readonly KeptImage[]): string {
  const now = surroundings.nowMs();
  const rows = images.map(({ name, digest, bytes, usedAtMs, isInUse }) => [
    name ?? '-',
    bytesText(bytes),
    isInUse ? 'now' : ageText(usedAtMs, now),
    digest,
  ]);
  return table(surroundings, ['IMAGE', 'UNPACKED', 'USED', 'DIGEST'], rows);
}
