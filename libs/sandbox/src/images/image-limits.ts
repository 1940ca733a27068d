const GiB = 1024 ** 3;

/** How much of a stranger's image is taken in before it is refused. */
export type ImageLimits = {
  /** Sum of all layers as they are stored. */
  readonly compressedBytes: number;
  /** Sum of all layers as tar archives. */
  readonly unpackedBytes: number;
  /** Files, directories, links and whiteouts of all layers. */
  readonly entries: number;
  readonly layers: number;
  /** Unpacked bytes of a layer for each stored one, once it is larger than 64 MiB. */
  readonly ratio: number;
  /** Of the whole pull, whatever it waits for. */
  readonly withinMs: number;
};

/** The largest images of toolchains and browsers that are in use have about half of each. */
export const DEFAULT_IMAGE_LIMITS: ImageLimits = {
  compressedBytes: 8 * GiB,
  unpackedBytes: 24 * GiB,
  entries: 750_000,
  layers: 127,
  ratio: 200,
  withinMs: 30 * 60_000,
};

/** Of a manifest, an index or a configuration. What registries accept is as large. */
export const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;

/** Layers of empty files shrink more than a ratio allows; below this size nobody minds. */
export const RATIO_FREE_BYTES = 64 * 1024 * 1024;
