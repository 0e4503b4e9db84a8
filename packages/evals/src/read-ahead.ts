/** A series whose next item is asked for while one is in use, so that reading and computing overlap; two items are in memory. */
export async function* readAhead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    while (true) {
      const { done, value } = await next;
      if (done) return;
      next = iterator.next();
      // who fails before asking for it leaves this failure unheard
      next.catch(() => {});
      yield value;
    }
  } finally {
    await next.catch(() => {});
    await iterator.return?.();
  }
}
