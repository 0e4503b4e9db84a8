/** How attention kernels address the tokens of one head, in the packed qkv or in a tensor of H d columns. */
import type { Storage, Tensor } from '../../graph/op';
import { elementType, type KernelBuilder } from '../../kernels/kernel-builder';
import type { AttentionDims } from './problem';

const PARTS = ['query', 'key', 'value'] as const;

export type TokenPart = (typeof PARTS)[number];

export interface Tokens {
  readonly tensor: Tensor;
  /** Which part of a packed tensor; absent for a tensor of H d columns. */
  readonly part?: TokenPart;
}

/** WGSL of the vec4 of f32 at a token and a unit of four elements. */
export type LoadToken = (token: string, unit: string) => string;
/** WGSL that stores a vec4 of f32 there. */
export type StoreToken = (token: string, unit: string, value: string) => string;

export interface TokenScope {
  load(tokens: Tokens): LoadToken;
  store(tokens: Tokens): StoreToken;
  /** The same of a tensor of f16 by units of eight, as `vec4<u32>`: 16 bytes at a time. */
  loadEight(tokens: Tokens): LoadToken;
  storeEight(tokens: Tokens): StoreToken;
  /** Elements that are touched of each tensor, for `KernelSource`: of a packed one, the parts that were asked for. */
  touched(): ReadonlyMap<Storage, number>;
  /** WGSL of where each one's head starts; needs `head`, its number among all B H. To be asked for last. */
  declarations(): string;
}

/** Strides and offsets are uniforms, so that kernels which differ in nothing else are one pipeline. `computed` are the heads that the kernel computes. */
export function tokenScope(
  k: KernelBuilder,
  { B, H, N, d, before }: AttentionDims,
  computed: number = B * H,
): TokenScope {
  const starts: string[] = [];
  const parts = new Map<Tensor, Set<string | undefined>>();
  const [heads, tokens, units] = [k.uniform(H), k.uniform(N), k.uniform(d / 4)];
  function place(variable: string, { tensor, part }: Tokens, size = 4): (token: string, unit: string) => string {
    parts.set(tensor, new Set([...(parts.get(tensor) ?? []), part]));
    const width = (H * d) / size;
    const row = part ? 3 * width : width;
    const stride = k.uniform(row);
    const offset = k.uniform(before * row + (part ? PARTS.indexOf(part) * width : 0));
    const start = `start${starts.length}`;
    const perHead = size === 4 ? units : `(${units} / ${size / 4}u)`;
    starts.push(`  let ${start} = head / ${heads} * ${tokens} * ${stride} + head % ${heads} * ${perHead} + ${offset};`);
    return (token, unit) => `${variable}[${start} + ${token} * ${stride} + ${unit}]`;
  }
  return {
    load(own) {
      const at = place(k.read(own.tensor, elementType(own.tensor, 4)), own);
      return (token, unit) => `vec4<f32>(${at(token, unit)})`;
    },
    store(own) {
      const type = elementType(own.tensor, 4);
      const at = place(k.write(own.tensor, type), own);
      return (token, unit, value) => `${at(token, unit)} = ${type}(${value});`;
    },
    loadEight: (own) => place(k.read(own.tensor, 'vec4<u32>'), own, 8),
    storeEight(own) {
      const at = place(k.write(own.tensor, 'vec4<u32>'), own, 8);
      return (token, unit, value) => `${at(token, unit)} = ${value};`;
    },
    touched: () => new Map([...parts].map(([tensor, { size }]) => [tensor, size * computed * N * d])),
    declarations: () => starts.join('\n'),
  };
}
