/** Where the time of a step goes as the loop sees it: milliseconds by phase, waiting included. */
export interface PhaseTimes {
  /** Ends the phase that has run since the last call. */
  end(phase: string): void;
  /** Forgets what was measured so far. */
  restart(): void;
  /** Means over that many steps, the longest phase first. */
  describe(steps: number): string;
}

export function createPhaseTimes(): PhaseTimes {
  let times = new Map<string, number>();
  let last = performance.now();
  let processor = process.cpuUsage();
  return {
    end(phase) {
      const now = performance.now();
      times.set(phase, (times.get(phase) ?? 0) + now - last);
      last = now;
    },
    restart() {
      times = new Map();
      last = performance.now();
      processor = process.cpuUsage();
    },
    describe(steps) {
      const total = [...times.values()].reduce((sum, time) => sum + time, 0);
      const { user, system } = process.cpuUsage(processor);
      const rows = [...times]
        .sort(([, a], [, b]) => b - a)
        .map(
          ([phase, time]) =>
            `  ${phase.padEnd(32)} ${(time / steps).toFixed(2).padStart(10)} ms ${((100 * time) / total).toFixed(1).padStart(6)} %`,
        );
      return [
        `one step, mean of ${steps}: ${(total / steps).toFixed(1)} ms, and ${((user + system) / 1000 / steps).toFixed(1)} ms of processor time in all threads`,
        ...rows,
      ].join('\n');
    },
  };
}
