/** What a call is given, checked before anything is sent: a rank that fails after the others have begun would leave them waiting. */
import type { Numbers, Reduction } from './communicator';
import { CollectiveError } from './errors';
import { isFloat, NUMBER_TYPES, numberType } from './number-types';

const REDUCTIONS: readonly Reduction[] = ['sum', 'max', 'logSumExp'];
/** MPI counts in 32 bits with a sign. */
const MOST_VALUES = 2 ** 31 - 1;

const refuse = (call: string, problem: string): never => {
  throw new CollectiveError('argument', `${call}: ${problem}`);
};

const named = (values: Numbers): string => `${numberType(values)} [${values.length}]`;

function checkNumbers(call: string, what: string, values: unknown): asserts values is Numbers {
  if (numberType(values)) return;
  const given = ArrayBuffer.isView(values) ? values.constructor.name : String(values);
  refuse(call, `${what} is ${given}; give one of ${NUMBER_TYPES.join(', ')}`);
}

/** `send` [sent n] and `receive` [received n] for one n, of one type. */
export function checkArrays(
  call: string,
  [send, sent]: [Numbers, number],
  [receive, received]: [Numbers, number],
): void {
  checkNumbers(call, 'send', send);
  checkNumbers(call, 'receive', receive);
  const fits = send.length * received === receive.length * sent && send.length % sent === 0;
  if (!fits || numberType(send) !== numberType(receive))
    refuse(
      call,
      `${named(send)} does not go into ${named(receive)}${sent === received ? '' : `; with ${Math.max(sent, received)} ranks one is that many times as long`}`,
    );
  if (Math.max(send.length, receive.length) > MOST_VALUES)
    refuse(
      call,
      `${Math.max(send.length, receive.length)} values at once are more than ${MOST_VALUES}; exchange them in parts`,
    );
}

/** Arrays that share a part of their memory would be written while they are still read; the same array twice is fine. */
export function checkOverlap(call: string, send: Numbers, receive: Numbers): void {
  if (overlap(send, receive) && send.byteOffset !== receive.byteOffset)
    refuse(call, 'send and receive share a part of their memory; give one array twice, or arrays apart');
}

const overlap = (a: Numbers, b: Numbers): boolean =>
  a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;

export function checkReduction(call: string, values: Numbers, how: unknown): void {
  if (!REDUCTIONS.includes(how as Reduction))
    refuse(call, `there is no reduction ${JSON.stringify(how)}; it is one of ${REDUCTIONS.join(', ')}`);
  if (how === 'logSumExp' && !isFloat(numberType(values)!))
    refuse(call, `logSumExp is of floats, not of ${named(values)}`);
}

export function checkBroadcast(values: Numbers, root: unknown, size: number): void {
  checkNumbers('broadcast', 'values', values);
  if (!Number.isInteger(root) || (root as number) < 0 || (root as number) >= size)
    refuse('broadcast', `there is no rank ${JSON.stringify(root)} among ${size}; root is one of 0 to ${size - 1}`);
}

export function checkStatus(status: unknown): void {
  if (!Number.isInteger(status) || (status as number) < 0 || (status as number) > 255)
    refuse('abort', `an exit status is 0 to 255, not ${JSON.stringify(status)}`);
}
