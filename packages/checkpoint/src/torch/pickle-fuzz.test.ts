import { expect, test } from 'vitest';
import { largestAllocation, seededInteger } from '../../test/support';
import { CheckpointError } from '../errors';
import { unpickle } from './pickle';
import { torchHooks } from './torch-objects';
import { walkPickle } from './walk-pickle';

/*
 * Pickles made of every opcode, in random order and with random damage, are decoded or refused with a CheckpointError. Nothing
 * crashes, hangs, reaches a prototype or takes more memory than the pickle justifies.
 */

/** One of each opcode, with operands; together they make sense often enough to get deep. */
const PIECES = [
  '\x80\x02',
  '\x95\x08\0\0\0\0\0\0\0',
  '(',
  '0',
  '1',
  '2',
  'N',
  '\x88',
  '\x89',
  'I7\n',
  'I01\n',
  'L8L\n',
  'F1.5\n',
  'J\xfe\xff\xff\xff',
  'K\x01',
  'M\x01\x02',
  '\x8a\x01\xff',
  '\x8b\x01\0\0\0\x05',
  'G\x3f\xf8\0\0\0\0\0\0',
  "S'a'\n",
  'T\x01\0\0\0a',
  'U\x01a',
  'Vb\n',
  'X\x01\0\0\0a',
  '\x8c\x01b',
  '\x8c\x09__proto__',
  '\x8c\x0bconstructor',
  '\x8d\x01\0\0\0\0\0\0\0c',
  'B\x01\0\0\0a',
  'C\x01a',
  '\x8e\x01\0\0\0\0\0\0\0a',
  '\x96\x01\0\0\0\0\0\0\0a',
  ')',
  '\x85',
  '\x86',
  '\x87',
  't',
  ']',
  'l',
  'a',
  'e',
  '\x8f',
  '\x90',
  '\x91',
  '}',
  'd',
  's',
  'u',
  'p1\n',
  'q\x01',
  'r\x02\0\0\0',
  '\x94',
  'g1\n',
  'h\x01',
  'j\x02\0\0\0',
  'cm\nC\n',
  'ccollections\nOrderedDict\n',
  'ctorch._utils\n_rebuild_tensor_v2\n',
  'ctorch._utils\n_rebuild_parameter\n',
  'c__builtin__\nset\n',
  '\x8c\x01m\x8c\x01C\x93',
  'R',
  '\x81',
  '\x92',
  '(K\x01im\nC\n',
  '(cm\nC\no',
  'b',
  'P0\n',
  'Q',
  '(\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x04tQ',
  'cm\nC\n)R',
  'cm\nC\n)R}\x8c\x01aK\x01sb',
  'ctorch._utils\n_rebuild_tensor_v2\n((\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x04tQK\x00K\x02\x85K\x01\x85tR',
  'cm\nModule\n)\x81}(\x8c\x0b_parametersccollections\nOrderedDict\n)R\x8c\x08_modules}ub',
];
const ROUNDS = 20_000;

test('random programs of all opcodes', async () => {
  const integer = seededInteger(5);
  const outcomes = { decoded: 0, refused: 0 };
  const largest = await largestAllocation(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const pieces = Array.from({ length: 1 + integer(30) }, () => PIECES[integer(PIECES.length)]!);
      const bytes = Uint8Array.from(Buffer.from(`${pieces.join('')}.`, 'latin1'));
      for (let i = integer(8) - 5; i > 0; i--) bytes[integer(bytes.length)]! ^= 1 << integer(8);
      try {
        walkPickle(unpickle(bytes, torchHooks()), bytes.length);
        outcomes.decoded++;
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw new Error(`round ${round}`, { cause: error });
        outcomes.refused++;
      }
    }
  });
  expect(Math.min(outcomes.decoded, outcomes.refused)).toBeGreaterThan(ROUNDS / 20);
  expect(largest).toBeLessThanOrEqual(2 ** 16);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(Object.getOwnPropertyNames(Map.prototype)).not.toContain('a');
});

test('every piece of a list is an opcode that is known', () => {
  for (const piece of PIECES) {
    // A stack that suits whatever comes: a fault may be of the stack, never of the opcode.
    const bytes = Uint8Array.from(Buffer.from(`K\x01q\x01r\x02\0\0\0${piece}N.`, 'latin1'));
    try {
      unpickle(bytes, torchHooks());
    } catch (error) {
      expect((error as CheckpointError).message).not.toMatch(/none of pickle's/);
    }
  }
});
