// Writes a CSV file anew when it is told to. Started by rewrite-race.ts.
import { closeSync, openSync, writeSync } from 'node:fs';

/** One turn of the writer: the file with these rows, and with other columns than before. */
export interface Turn {
  readonly path: string;
  readonly rows: number;
  readonly extraColumns: number;
}

const pieceBytes = 8_192;

function write({ path, rows, extraColumns }: Turn): void {
  const names = Array.from({ length: extraColumns }, (_, index) => `,extra_${index}`).join('');
  const empty = ','.repeat(extraColumns);
  const text = [`step,train_loss,val_loss${names}\n`];
  for (let step = 0; step < rows; step++) text.push(`${step},${1 / (step + 1)},${2 / (step + 1)}${empty}\n`);
  const bytes = Buffer.from(text.join(''));
  const file = openSync(path, 'w');
  for (let start = 0; start < bytes.length; start += pieceBytes)
    writeSync(file, bytes.subarray(start, start + pieceBytes));
  closeSync(file);
}

process.on('message', (turn: Turn) => {
  write(turn);
  process.send?.('done');
});
