/** Time by the clock, and of processors: on a machine that others use too the two go apart. */

export interface TimeTaken {
  readonly seconds: number;
  /** Of all threads of this process. */
  readonly processor: number;
}

export const NO_TIME: TimeTaken = { seconds: 0, processor: 0 };

/** Starts a watch, which may be read several times. */
export function startWatch(): () => TimeTaken {
  const began = performance.now();
  const used = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { seconds: (performance.now() - began) / 1000, processor: (user + system) / 1e6 };
  };
}

export const addTimes = (a: TimeTaken, b: TimeTaken, times = 1): TimeTaken => ({
  seconds: a.seconds + times * b.seconds,
  processor: a.processor + times * b.processor,
});

export const timesOf = (time: TimeTaken, count: number): TimeTaken => addTimes(NO_TIME, time, count);
