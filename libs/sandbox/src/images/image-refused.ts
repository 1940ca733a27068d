import { refusal, type Refusal, type RefusalCode } from '../refusal.ts';

/**
 * `image_not_allowed`: this host's operator did not offer it. `image_unavailable`: it is not there, or its registry is away.
 * `image_damaged`: what came is not what was asked for by its digest, as of a download that was cut short; the next may be whole.
 * `image_refused`: it is there and is hostile, too large or of a kind that is not unpacked.
 */
export type ImageRefusalCode = Extract<RefusalCode, `image_${string}`>;

/** Thrown inside this directory alone; whoever asks for an image gets the refusal as a value. */
export class ImageRefused extends Error {
  readonly code: ImageRefusalCode;

  constructor(code: ImageRefusalCode, message: string) {
    super(message);
    this.code = code;
  }

  toRefusal(): Refusal {
    return refusal(this.code, this.message);
  }
}

/** What was got has another size or digest than it should. */
export const damaged = (message: string): ImageRefused => new ImageRefused('image_damaged', message);

/** An image that was got and cannot be used. */
export const refused = (message: string): ImageRefused => new ImageRefused('image_refused', message);
