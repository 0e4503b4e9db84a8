import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { expectError, pthFixture, safetensorsBytes, temporaryFolder } from '../test/support';
import { openCheckpoint } from './open-checkpoint';
import { writeSafetensors } from './safetensors/writer';

const folder = temporaryFolder();

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
  return path;
}

const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 346378731\n';

const foreign: [what: string, name: string, content: string | Uint8Array, message: RegExp][] = [
  ['a Git LFS pointer', 'a.pth', pointer, /is a Git LFS pointer.*git lfs pull/],
  ['a web page', 'b.pth', '\n<!DOCTYPE html><html><title>Sign in</title>', /is a web page.*\/resolve\//],
  [
    'an answer in XML',
    'c.pth',
    '\xef\xbb\xbf<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    /is a web page/,
  ],
  [
    'an answer in JSON',
    'd.pth',
    '{"message": "Not Found", "status": "404"}',
    /answer of a server that says "Not Found"/,
  ],
  ['another answer in JSON', 'e.safetensors', '{"error":"Repository not found"}', /that says "Repository not found"/],
  [
    'a configuration',
    'config.json',
    '{"architectures": ["ViT"], "hidden_size": 768}',
    /is the configuration of a model/,
  ],
  ['JSON with a brace as its ninth byte', 'data.json', '{"data":{"a": 1}}', /JSON and no index.*weight_map/],
  ['a JSON list', 'list.json', '{"a": [1, 2, 3], ', /begins like JSON and is not/],
  ['a Keras file', 'f.h5', '\x89HDF\r\n\x1a\n\0\0\0\0', /is an HDF5 file.*Keras/],
  ['an ONNX model', 'g.bin', '\x08\x07\x12\x07pytorch\x1a\x052.1.0:\x80', /is an ONNX model/],
  ['a GGUF model', 'h.gguf', 'GGUF\x03\0\0\0', /GGUF/],
  ['a TensorFlow Lite model', 'i.tflite', '\x1c\0\0\0TFL3', /TensorFlow Lite/],
  ['a TensorFlow checkpoint', 'model.ckpt.data-00000-of-00001', '\x12\x34', /TensorFlow model or checkpoint/],
  ['a NumPy array', 'j.npy', '\x93NUMPY\x01\0', /is a NumPy array/],
  ['a pickle', 'k.pkl', '\x80\x04\x95\0\0\0\0\0\0\0\0}.', /is a pickle, but not one of torch\.save.*torch\.save\(/],
  ['a pickle of Python 2', 'l.pkl', "(dp0\nS'a'\np1\nI1\ns.", /is a pickle/],
  ['an empty file', 'm.pth', '', /is empty; download it again/],
  ['zeros', 'n.pth', '\0'.repeat(64), /unfinished download/],
  ['an xz archive', 'o.tar.xz', '\xfd7zXZ\0\0', /compressed file or archive/],
  ['a tar', 'p.tar', `${'\0'.repeat(257)}ustar`, /is an archive.*unpack it/],
  ['a part of an archive', 'q.tar.gz.part_ab', 'ab', /later part of an archive.*\.part_aa/],
  ['a picture', 'r.pth', '\x89PNG\r\n', /is a picture/],
  ['text', 's.pth', 'import torch\x1b[2J', /no file of weights.*"import torch\\u001b\[2J"/],
  ['a NumPy archive', 't.npz', zip('arr_0.npy', 'params/b.npy'), /NumPy archive/],
  ['a Keras model', 'u.keras', zip('config.json', 'model.weights.h5'), /Keras model/],
  ['TorchScript without constants', 'v.pt', zip('model/data.pkl', 'model/code/__torch__.py'), /TorchScript program/],
  ['a zip around weights', 'w.zip', zip('release/README', 'release/vit.pth'), /zip around files of weights.*unzip/],
  ['an empty zip', 'x.zip', zip(), /holds nothing/],
];

test.each(foreign)('%s is called what it is', async (_, name, content, message) => {
  await expectError(openCheckpoint(file(name, content)), 'format', message);
});

test('a download that ended early is called that, whatever its format', async () => {
  const whole = join(folder, 'whole.safetensors');
  await writeSafetensors(whole, [{ name: 'a', dtype: 'f32', shape: [64], data: new Float32Array(64) }]);
  for (const path of [whole, pthFixture('stored.pth'), pthFixture('legacy.pth')]) {
    const bytes = readFileSync(path);
    await expectError(
      openCheckpoint(file('cut', bytes.subarray(0, bytes.length - 4))),
      'truncated',
      /cut short.*again/,
    );
  }
  await expectError(openCheckpoint(file('cut', safetensorsBytes('{"a":1}').subarray(0, 12))), 'truncated');
});

test('one of the files of a model in several is not taken for the model', async () => {
  const name = 'model-00001-of-00002.safetensors';
  const path = join(folder, name);
  await writeSafetensors(path, [{ name: 'a', dtype: 'u8', shape: [1], data: Uint8Array.of(1) }]);
  await expectError(openCheckpoint(path), 'format', /file 1 of the 2 that hold one model; give their index \(\*/);
  const index = join(folder, 'model.safetensors.index.json');
  writeFileSync(index, JSON.stringify({ weight_map: { a: name } }));
  await expectError(openCheckpoint(path), 'format', /give their index, .*model\.safetensors\.index\.json/);
  await using model = await openCheckpoint(index);
  expect([...(await model.read('a'))]).toEqual([1]);
});

test('an index of files of torch.save is read; what is no weights among them is called what it is', async () => {
  const place = join(folder, 'bin');
  mkdirSync(place);
  copyFileSync(pthFixture('stored.pth'), join(place, 'pytorch_model-00001-of-00001.bin'));
  const index = join(place, 'pytorch_model.bin.index.json');
  writeFileSync(index, JSON.stringify({ weight_map: { bias: 'pytorch_model-00001-of-00001.bin' } }));
  await using model = await openCheckpoint(index);
  expect([...(await model.readFloat32('bias'))]).toEqual([0, 1, 2, 3]);
  writeFileSync(join(place, 'lfs.bin'), pointer);
  writeFileSync(index, JSON.stringify({ weight_map: { bias: 'lfs.bin' } }));
  await expectError(openCheckpoint(index), 'format', /lfs\.bin is a Git LFS pointer/);
  // an index that names itself is opened once
  writeFileSync(index, JSON.stringify({ weight_map: { bias: 'pytorch_model.bin.index.json' } }));
  await expectError(openCheckpoint(index), 'format', /no file of weights/);
});

/** A zip of empty stored entries. */
function zip(...names: string[]): Uint8Array {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const name of names) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(crc32(Buffer.alloc(0)), 14);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(offset, 42);
    pieces.push(local, Buffer.from(name));
    directory.push(central, Buffer.from(name));
    offset += 30 + name.length;
  }
  const bytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(bytes.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, bytes, end]);
}
