import { setting, type Setting } from '../config/settings.ts';

/** Where a process is to die, and which time of getting there is meant. */
export interface CrashOrder<Point extends string> {
  readonly point: Point;
  /** From 1. */
  readonly time: number;
}

/** So often nothing in a test gets anywhere. */
const TIME_MAX = 1_000_000;

/**
 * For tests of what a crash leaves behind: `after-commit`, or `after-commit:3` for the third time. A point that the
 * process does not have is refused with the names of those it has.
 */
export function crashOrder<const Point extends string>(points: readonly Point[]): Setting<CrashOrder<Point>> {
  return setting(`one of ${points.join(', ')}, or one with the time that is meant, such as ${points[0]}:3`, (given) => {
    const [name, count = '1', ...rest] = given.split(':');
    const point = points.find((known) => known === name);
    const time = /^\d{1,7}$/.test(count) ? Number(count) : 0;
    return point === undefined || rest.length > 0 || time < 1 || time > TIME_MAX ? undefined : { point, time };
  });
}

/**
 * What a process calls wherever it has a point: ends it there as `kill -9` would, if that was ordered. Nothing is
 * flushed, closed or said. Without an order it does nothing.
 */
export function crashWhenOrdered<Point extends string>(order: CrashOrder<Point> | undefined): (point: Point) => void {
  if (order === undefined) return () => undefined;
  let times = 0;
  return (point) => {
    if (point !== order.point) return;
    times += 1;
    if (times === order.time) process.kill(process.pid, 'SIGKILL');
  };
}
