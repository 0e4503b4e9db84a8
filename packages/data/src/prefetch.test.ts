import { describe, expect, it } from 'vitest';
import { prefetch } from './prefetch';

const collect = async <T>(results: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const result of results) all.push(result);
  return all;
};

/** Loads that finish only when the test says so. */
function manualLoads(): {
  load: (item: number, signal: AbortSignal) => Promise<number>;
  finish: (item: number) => void;
  started: number[];
  aborted: number[];
} {
  const finishers = new Map<number, () => void>();
  const started: number[] = [];
  const aborted: number[] = [];
  return {
    started,
    aborted,
    finish: (item) => finishers.get(item)!(),
    load: (item, signal) => {
      started.push(item);
      return new Promise((resolve, reject) => {
        finishers.set(item, () => resolve(item));
        signal.addEventListener('abort', () => {
          aborted.push(item);
          reject(signal.reason);
        });
      });
    },
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
function* counting(): Generator<number> {
  for (let item = 0; ; item++) yield item;
}

describe('prefetch', () => {
  it('keeps the order of the items whatever order the loads finish in', async () => {
    const loads = manualLoads();
    const results = collect(prefetch([0, 1, 2, 3], loads.load, { inFlight: 4 }));
    await settle();
    for (const item of [3, 1, 0, 2]) loads.finish(item);
    expect(await results).toEqual([0, 1, 2, 3]);
  });

  it('never runs more loads at once than inFlight', async () => {
    let running = 0;
    let most = 0;
    const load = async (item: number): Promise<number> => {
      most = Math.max(most, ++running);
      await settle();
      running--;
      return item;
    };
    expect(await collect(prefetch(Array(50).keys(), load, { inFlight: 3, ahead: 20 }))).toHaveLength(50);
    expect(most).toBe(3);
  });

  it('draws no item beyond the room ahead', async () => {
    let drawn = 0;
    function* items(): Generator<number> {
      for (;;) yield drawn++;
    }
    const results = prefetch(items(), async (item) => item, { inFlight: 2, ahead: 5 });
    for (let pull = 1; pull <= 10; pull++) {
      expect((await results.next()).value).toBe(pull - 1);
      expect(drawn).toBe(pull + 5);
    }
    await results.return();
  });

  it('starts nothing before the first pull and keeps loading between pulls', async () => {
    const loads = manualLoads();
    const results = prefetch(counting(), loads.load, { inFlight: 2, ahead: 3 });
    await settle();
    expect(loads.started).toEqual([]);
    const first = results.next();
    await settle();
    expect(loads.started).toEqual([0, 1]);
    loads.finish(0);
    await first;
    loads.finish(1);
    await settle();
    expect(loads.started).toEqual([0, 1, 2, 3]);
    await results.return();
  });

  it('reports an error when its turn comes, after the results before it', async () => {
    const load = async (item: number): Promise<number> => {
      if (item === 2) throw new Error('item 2 is broken');
      return item;
    };
    const results = prefetch([0, 1, 2, 3], load, { inFlight: 4 });
    expect([(await results.next()).value, (await results.next()).value]).toEqual([0, 1]);
    await expect(results.next()).rejects.toThrow('item 2 is broken');
    expect((await results.next()).done).toBe(true);
  });

  it('stops the loads in flight when the consumer leaves the loop', async () => {
    const loads = manualLoads();
    const results = prefetch(counting(), loads.load, { inFlight: 3 });
    const first = results.next();
    await settle();
    loads.finish(0);
    await first;
    await results.return();
    expect(loads.aborted).toEqual([0, 1, 2, 3]);
    const startedBefore = loads.started.length;
    await settle();
    expect(loads.started).toHaveLength(startedBefore);
  });

  it('ends with the reason of an abort while loads are under way', async () => {
    const stop = new AbortController();
    const loads = manualLoads();
    const results = prefetch(counting(), loads.load, { inFlight: 2, signal: stop.signal });
    const first = results.next();
    await settle();
    stop.abort(new Error('interrupted'));
    await expect(first).rejects.toThrow('interrupted');
    expect(loads.aborted).toEqual([0, 1]);
  });

  it('does nothing when it is aborted before it starts', async () => {
    const loads = manualLoads();
    const results = prefetch([0], loads.load, { inFlight: 1, signal: AbortSignal.abort(new Error('too late')) });
    await expect(results.next()).rejects.toThrow('too late');
    expect(loads.started).toEqual([]);
  });
});
