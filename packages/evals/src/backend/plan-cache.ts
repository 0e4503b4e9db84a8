/** Compiled plans by name, made when first asked for and kept until the cache is disposed of. */
export interface PlanCache extends Disposable {
  /** `make` runs once per `key`; the key says everything that the plan depends on. */
  get<P extends Disposable>(key: string, make: () => Promise<P>): Promise<P>;
}

export function planCache(): PlanCache {
  const plans = new Map<string, Disposable>();
  return {
    async get<P extends Disposable>(key: string, make: () => Promise<P>): Promise<P> {
      const known = plans.get(key) as P | undefined;
      if (known) return known;
      const made = await make();
      plans.set(key, made);
      return made;
    },
    [Symbol.dispose]() {
      for (const plan of plans.values()) plan[Symbol.dispose]();
      plans.clear();
    },
  };
}
