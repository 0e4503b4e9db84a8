/** A plan as text, to read or to compare: the graph, then every kernel with its buffers, uniforms and line. */
import { showShape } from '../base/shape';
import type { GraphNode, Storage, Tensor } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import type { Address, Place, Plan, PlannedExchange, PlanStep } from './plan-types';

export interface DescribeOptions {
  /** Add the WGSL text of every distinct kernel (default false). */
  readonly wgsl?: boolean;
}

/** The graph, the steps and, if asked for, the WGSL of a plan (of `planStep`, or of a compiled step). */
export function describePlan(plan: Plan, { wgsl = false }: DescribeOptions = {}): string {
  const names = new Map(plan.nodes.flatMap((node, i) => node.outputs.map((output) => [output, nameOf(output, i)])));
  const texts = [...new Set(plan.steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel.wgsl] : [])))];
  const { kernels, copies, exchanges, totalBytes, flops } = plan.report;
  return [
    `${plan.target.name}: ${kernels} kernels, ${copies} copies, ${exchanges > 0 ? `${exchanges} exchanges, ` : ''}${flops} flop, ${totalBytes} bytes`,
    '',
    'graph',
    ...plan.nodes.map((node) => `  ${describeNode(node, names)}`),
    ...Object.entries(plan.outputs).map(
      ([path, { tensor, address }]) => `  ${path} <- ${names.get(tensor)} in ${describeAddress(address)}`,
    ),
    '',
    'steps',
    ...plan.steps.flatMap((step, i) => describeStep(step, i, names, texts)),
    ...(wgsl ? texts.flatMap((text, i) => ['', `wgsl ${i}`, text]) : []),
    '',
  ].join('\n');
}

const nameOf = ({ index, node }: Tensor, position: number): string =>
  node.outputs.length === 1 ? `%${position}` : `%${position}.${index}`;

function describeNode(node: GraphNode, names: ReadonlyMap<Tensor, string>): string {
  const outputs = node.outputs.map((output) => `${names.get(output)}: ${describeSpec(output)}`).join(', ');
  const inputs = node.inputs.map((input) => names.get(input)).join(', ');
  return `${outputs} = ${node.op.name}(${inputs})${describeAttributes(node.attrs)}${node.inputs.length === 0 ? '' : `  at ${node.site}`}`;
}

const describeSpec = ({ dtype, shape }: Storage): string => `${dtype} ${showShape(shape)}`;

/** Small values only: the data of a constant, and shapes that the output shows, say nothing here. */
function describeAttributes(attrs: unknown): string {
  const shown = Object.entries(attrs as Record<string, unknown>).filter(
    ([key, value]) => !['data', 'shape', 'dtype'].includes(key) && (typeof value !== 'object' || Array.isArray(value)),
  );
  return shown.length === 0 ? '' : ` {${shown.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')}}`;
}

function describeAddress({ place, offset, bytes }: Address): string {
  return `${describePlace(place)} +${offset} (${bytes} bytes)`;
}

function describePlace(place: Place): string {
  switch (place.kind) {
    case 'slot':
      return `slot ${place.slot}`;
    case 'state':
      return `state ${place.group}[${place.buffer}]`;
    case 'batch':
      return `input ${place.name}`;
    case 'constant':
      return `constant ${place.index}`;
    case 'knobs':
      return 'knobs';
  }
}

function describeHalf(half: 'send' | 'receive', exchange: PlannedExchange): string {
  const { index, kind, how, size, from, to, sent, received, when } = exchange;
  const what = `exchange ${index} (${kind}${kind === 'allReduce' ? ` ${how}` : ''} of ${size} ranks${when === undefined ? '' : `, unless ${when} is 0`})`;
  return half === 'send'
    ? `send ${sent} elements for ${what} from ${describeAddress(from)}`
    : `receive ${received} elements of ${what} into ${describeAddress(to)}`;
}

function describeStep(
  step: PlanStep,
  index: number,
  names: ReadonlyMap<Tensor, string>,
  texts: readonly string[],
): string[] {
  const number = String(index).padStart(4);
  if (step.kind === 'copy')
    return [`${number} copy ${describeAddress(step.from)} to ${describeAddress(step.to)}  at ${step.node.site}`];
  if (step.kind !== 'kernel') return [`${number} ${describeHalf(step.kind, step.exchange)}  at ${step.node.site}`];
  const { label, bindings, uniforms, workgroups, wgsl } = step.kernel;
  return [
    `${number} ${label}, wgsl ${texts.indexOf(wgsl)}, ${workgroups.join(' x ')} workgroups  at ${step.node.site}`,
    ...bindings.map(({ tensor, access }, i) => {
      const name = isScratch(tensor) ? 'scratch' : (names.get(tensor) ?? tensor.node.op.name);
      const verb = access === 'read' ? 'reads ' : 'writes';
      return `       ${verb} ${name}: ${describeSpec(tensor)} in ${describeAddress(step.addresses[i]!)}`;
    }),
    ...(uniforms.length > 0 ? [`       uniforms ${[...uniforms].join(' ')}`] : []),
  ];
}
