import { join } from 'node:path';
import { ImageStore } from '@delta-ci/sandbox';
import type { Surroundings } from '../../surroundings.ts';
import { cacheHome } from './bubblewrap-path.ts';

/** Of unpacked images in the cache directory, unless a file of images says otherwise. */
export const IMAGE_STORE_BYTES = 20 * 1024 ** 3;

/** Where local runs keep images, unpacked. */
export const localImagesDirectory = (surroundings: Surroundings): string =>
  join(cacheHome(surroundings), 'local', 'images');

/** For whoever looks at what is kept, or removes of it. */
export const localImages = (surroundings: Surroundings): ImageStore =>
  new ImageStore(localImagesDirectory(surroundings), IMAGE_STORE_BYTES);
