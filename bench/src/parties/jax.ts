/** jax-js on WebGPU or on WebAssembly. */
import type * as library from '@jax-js/jax';
import { provideBrowserGpu } from './browser-gpu';

export type JaxArray = library.Array;
export interface Jax {
  readonly np: typeof library.numpy;
  readonly lax: typeof library.lax;
  readonly nn: typeof library.nn;
  readonly tree: typeof library.tree;
  readonly jit: typeof library.jit;
  readonly grad: typeof library.grad;
  readonly valueAndGrad: typeof library.valueAndGrad;
  /** An f32 array on this party's device. */
  array(values: Float32Array<ArrayBuffer>, shape: readonly number[]): JaxArray;
}

export async function openJax(device: 'webgpu' | 'wasm'): Promise<Jax> {
  provideBrowserGpu();
  provideIteratorHelpers();
  const jax = await import('@jax-js/jax');
  const ready = await jax.init(device);
  if (!ready.includes(device)) throw new Error(`jax-js has no ${device} here`);
  const { numpy: np, lax, nn, tree, jit, grad, valueAndGrad } = jax;
  const array = (values: Float32Array<ArrayBuffer>, shape: readonly number[]): JaxArray =>
    np.array(values, { shape: [...shape], device });
  return { np, lax, nn, tree, jit, grad, valueAndGrad, array };
}

/** The methods of iterators that jax-js uses and Node has from version 22 on. */
function provideIteratorHelpers(): void {
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  const helpers = {
    *map<T, U>(this: Iterable<T>, transform: (value: T, index: number) => U): Generator<U> {
      let index = 0;
      for (const value of this) yield transform(value, index++);
    },
    *filter<T>(this: Iterable<T>, keep: (value: T, index: number) => boolean): Generator<T> {
      let index = 0;
      for (const value of this) if (keep(value, index++)) yield value;
    },
    toArray<T>(this: Iterable<T>): T[] {
      return [...this];
    },
    every<T>(this: Iterable<T>, test: (value: T, index: number) => boolean): boolean {
      return [...this].every(test);
    },
    some<T>(this: Iterable<T>, test: (value: T, index: number) => boolean): boolean {
      return [...this].some(test);
    },
  };
  for (const [name, value] of Object.entries(helpers)) {
    if (!(name in prototype)) Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
}
