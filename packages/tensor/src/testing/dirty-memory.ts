/**
 * Workgroup memory as it is where nothing clears it. Trained and timed kernels run without Dawn's zeroing of workgroup memory (`openGpu({ robustness: false })`), so
 * each must write what it reads. On a device of tests every kernel therefore begins by filling its workgroup memory with what it cannot mean: NaN, and the largest
 * numbers of both signs, of which sums, products, largest and smallest values all show something.
 */
import type { Gpu } from '../device/gpu';

const dirtied = new WeakSet<GPUDevice>();

/** Makes all kernels that are compiled on the device from now on begin with dirty workgroup memory. */
export function dirtyWorkgroupMemory({ device }: Pick<Gpu, 'device'>): void {
  if (dirtied.has(device)) return;
  dirtied.add(device);
  const createShaderModule = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => createShaderModule({ ...descriptor, code: dirty(descriptor.code) });
}

/** The same module, whose `main` first writes to all of its workgroup variables. Throws for a variable of a type that it does not know. */
export function dirty(wgsl: string): string {
  const variables = [...wgsl.matchAll(/var<workgroup>\s+(\w+)\s*:\s*([^;]+);/g)].map(
    ([, name, type]) => [name!, withoutAliases(wgsl, type!).replaceAll(/\s/g, '')] as const,
  );
  const size = /@workgroup_size\((\d+)\)/.exec(wgsl)?.[1];
  if (variables.length === 0 || size === undefined) return wgsl;
  const start = wgsl.indexOf('{', wgsl.indexOf('fn main(')) + 1;
  const fills = variables.map(([name, type]) => fill(name, type, Number(size)));
  return `${wgsl.slice(0, start)}\n${fills.join('\n')}\n  workgroupBarrier();${wgsl.slice(start)}\n${DIRT}`;
}

const withoutAliases = (wgsl: string, type: string): string =>
  [...wgsl.matchAll(/alias (\w+) = ([^;]+);/g)].reduce(
    (text, [, alias, meant]) => text.replaceAll(new RegExp(`\\b${alias}\\b`, 'g'), meant!),
    type,
  );

// what no compiler can know before it runs, since a constant NaN is an error of WGSL
const DIRT = `fn dirt(i: u32) -> u32 {
  var bits = array<u32, 3>(0x7fc07fc0u, 0x7f7f7f7fu, 0xff7f7f7fu);
  return bits[i % 3u];
}`;

function fill(variable: string, type: string, size: number): string {
  const [, element, count] = /^array<(.+),(\d+)>$/.exec(type) ?? [];
  if (element === undefined) return `  ${variable} = ${dirtOf(type, 'lane')};`;
  const [, inner, columns] = /^array<(.+),(\d+)>$/.exec(element) ?? [];
  const all = Number(count) * Number(columns ?? 1);
  const place = columns === undefined ? 'dirty' : `dirty / ${columns}u][dirty % ${columns}u`;
  return `  for (var dirty = lane; dirty < ${all}u; dirty += ${size}u) { ${variable}[${place}] = ${dirtOf(inner ?? element, 'dirty')}; }`;
}

function dirtOf(type: string, index: string): string {
  const scalar = /^(?:vec[234]<)?(f32|f16|u32|i32)>?$/.exec(type)?.[1];
  const bits = `dirt(${index})`;
  if (scalar === 'f32') return `${type}(bitcast<f32>(${bits}))`;
  if (scalar === 'f16') return `${type}(bitcast<vec2<f16>>(${bits}).x)`;
  if (scalar) return `${type}(${scalar}(${bits}))`;
  throw new Error(`workgroup memory of type ${type}: dirty-memory.ts does not know how to fill it`);
}
