import type { Layer } from './layers.ts';

export type RefusalCode =
  | 'tier_refuses_untrusted'
  | 'untrusted_host_network'
  | 'outlet_unsupported'
  | 'terminal_unsupported'
  | 'layer_missing'
  | 'spec_invalid'
  | 'workspace_unusable'
  | 'too_many_sandboxes'
  | 'sandbox_closed'
  | 'sandbox_setup_failed'
  | 'sink_failed'
  | 'image_not_allowed'
  | 'image_unavailable'
  | 'image_damaged'
  | 'image_refused';

/** A named no: what was refused, in one sentence for people, and how to get it where that can be said. */
export type Refusal = {
  readonly code: RefusalCode;
  readonly message: string;
  /** The first layer that is missing, for `layer_missing`. */
  readonly layer: Layer | null;
  readonly remedy: string | null;
};

export const refusal = (code: RefusalCode, message: string): Refusal => ({ code, message, layer: null, remedy: null });
