/** What stands before every line that a runner itself writes into a job's log. */
export const OWN_MARK = '[delta] ';

/** Whether a line looks like one of the runner's own. A job can print the same: nothing may be believed for it. */
export const isOwnLine = (text: string): boolean => text.startsWith(OWN_MARK);
