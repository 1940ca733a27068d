/** Files of `/etc` that are written for each sandbox and laid over those of its root. */
export const ETC_OF_A_SANDBOX = ['passwd', 'group', 'hosts', 'resolv.conf', 'gitconfig'] as const;

/** What the loader of the host's programs reads: no root may choose what they load. The sandbox's own is empty. */
export const LOADER_PRELOADS = 'ld.so.preload';
