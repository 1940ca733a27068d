import { describe, expect, it } from '@jest/globals';
import { elementsAt, readXml, textAt, xmlText } from './read-xml.ts';

describe('XML of project files', () => {
  it('is a tree of elements with their texts', () => {
    const xml = '\uFEFF<?xml version="1.0"?><!-- hi --><m:a x="1"><b> one </b><b><![CDATA[two]]></b><c/></m:a>';
    const root = readXml(xml);
    expect(root?.name).toBe('a');
    expect(root?.attributes.get('x')).toBe('1');
    expect(elementsAt(root, 'b').map(({ text }) => text)).toEqual(['one', 'two']);
    expect(textAt(root, 'c')).toBeNull();
  });

  it('is equal as text when only space and comments differ', () => {
    const textOf = (xml: string): string | null => {
      const root = readXml(xml);
      return root === null ? null : xmlText(root, ({ name }) => name === 'description');
    };
    expect(textOf('<a><b>1</b></a>')).toBe(textOf('<a>\n <!-- one -->\n <b> 1 </b><description>x</description></a>'));
    expect(textOf('<a><b>1</b></a>')).not.toBe(textOf('<a><b>2</b></a>'));
  });

  it.each([
    ['what does not close', '<a><b></a>'],
    ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['an unknown entity', '<a>&b;</a>'],
    ['nothing', ''],
    ['endless nesting', '<a>'.repeat(100_000)],
    ['endless elements', `<a>${'<b/>'.repeat(300_000)}</a>`],
  ])('is refused for %s', (_, xml) => {
    expect(readXml(xml)).toBeNull();
  });
});
