#!/usr/bin/env bash
# Guess: the streaming reader of exceljs, the way to read large files, gives the same values as readFile.
# Fact (exceljs 4.4.0): a date is 45293: it ignores formats unless told otherwise, and in Excel only the format makes a number a date. The prompt has the number,
# and a date of delivery is a quantity. With `styles: 'cache'` both readers agree.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save exceljs@4.4.0 2> /dev/null
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import ExcelJS from 'exceljs';

const book = new ExcelJS.Workbook();
book.addWorksheet('rows').addRow(['parcel', new Date('2024-01-02T00:00:00Z')]);
await book.xlsx.writeFile('rows.xlsx');
const whole = new ExcelJS.Workbook();
await whole.xlsx.readFile('rows.xlsx');
const value = JSON.stringify(whole.getWorksheet('rows').getRow(1).getCell(2).value);
const streamed = async options => {
  for await (const sheet of new ExcelJS.stream.xlsx.WorkbookReader('rows.xlsx', options)) {
    for await (const row of sheet) return JSON.stringify(row.getCell(2).value);
  }
};
const [usual, cached] = [await streamed({}), await streamed({ styles: 'cache' })];
console.log('exceljs', JSON.parse(readFileSync('node_modules/exceljs/package.json')).version);
console.log(`readFile: ${value}, stream: ${usual}, stream with styles 'cache': ${cached}`);
if (usual !== '45293' || cached !== value) throw new Error('the readers agree now');
JS
node run.mjs
