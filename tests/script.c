/* script.c - requests that touch every method. */
#include "tests/script.h"

#include <string.h>

/* [{(5000, weakref of o): o}, {'text'}], o an instance of a class C with an attribute: a dump of version 1. */
#define BLOB \
    "\\x89\\x48\\x45\\x41\\x50\\x44\\x0d\\x0a\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x0b\\x00\\x00\\x00\\x04\\x00\\x00\\x00\\x00" \
    "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x34\\x92\\x81\\x93\\xd4\\x04\\x07\\xcd\\x13\\x88\\x92\\xd4\\x04\\x0d\\xc2\\x94\\xd4" \
    "\\x04\\x0a\\x94\\xd4\\x04\\x0b\\xa1\\x43\\xa1\\x6b\\xcd\\x03\\xe8\\xa1\\x6e\\xcb\\x40\\x04\\x00\\x00\\x00\\x00\\x00\\x00" \
    "\\x92\\xd4\\x04\\x09\\xa4\\x74\\x65\\x78\\x74\\x92\\x04\\x05\\x7a\\x6e\\xe4\\x0b\\x91\\xdf\\x00\\xc4"

const char *const script_setup[] = {
    "hello({'name': 'script', 'errors': 'text'})",
    "bind('i', 12345)",
    "bind('f', 2.5)",
    "bind('s', 'Hello, World')",
    "bind('u', 'na\xc3\xafve')",
    "bind('y', b'bytes\\x00')",
    "bind('l', [3, 1, 2, 'x'])",
    "bind('n', [30, 10, 20, 1000])",
    "bind('d', {'k': 1, 'l': [1000, 2000]})",
    "bind('e', {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8, 'i': 9})",
    "call('set', 'new', [[1, 2, 1000]], {'into': 1})",
    "bind('z', @1)",
    "call('set', 'new', [[2, 3, 5000]], {'into': 2})",
    "bind('z2', @2)",
    "call('tuple', 'new', [[1, 'two', 1000]], {'into': 3})",
    "bind('t', @3)",
    "class('C', {'into': 4})",
    "bind('C', @4)",
    "call('C', 'new', [], {'into': 5})",
    "bind('o', @5)",
    "setattr('o', 'n', 1000)",
    "setattr('o', 'm', [1])",
    "getattr('l', 'append', {'into': 6})",
    "bind('m', @6)",
    "weakref('l', {'into': 7})",
    "bind('w', @7)",
    "proxy('l', {'into': 8})",
    "bind('p', @8)",
    "bind('victim', [[1000, 2000], {'k': [3000]}])",
    "weakref('victim', {'notify': true, 'into': 9})",
    "bind(['global', 'shared'], [4000])",
    "call('weakdict', 'new', [], {'into': 10})",
    "bind('wd', @10)",
    "call('wd', 'set', ['k', {'@': 'l'}])",
    "call('weakkeydict', 'new', [], {'into': 11})",
    "bind('wk', @11)",
    "call('wk', 'set', [{'@': 'l'}, [1000]])",
    "call('weakset', 'new', [], {'into': 12})",
    "bind('ws', @12)",
    "call('ws', 'add', [{'@': 'l'}])",
    "call('ws', 'add', [{'@': 'e'}])",
    "call('queue', 'new', [], {'into': 13})",
    "bind('q', @13)",
    "call('q', 'put', [[1000]])",
    "release(1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13)",
    NULL,
};

const char *const script_names[] = {"i", "f", "s", "u", "y", "l", "n", "d", "e", "z", "z2",
                                    "t", "C", "o", "m", "w", "p", "victim", "wd", "wk", "ws", NULL};

const struct script_row script_rows[] = {
    {"rpc", "hello", "hello({'name': 'again', 'refs': 'ext', 'errors': 'pair', 'raw': 'bytes', 'depth': 100})"},
    {"rpc", "hello", "hello({'events': ['notify_me', 'prefix', 1000, 2.5]})"},
    {"rpc", "ping", "ping(1000)"},
    {"rpc", "ping", "ping([1, 2, {'a': b'x'}])"},
    {"rpc", "bye", "bye()"},
    {"rpc", "bind", "bind('i', 54321)"},
    {"rpc", "bind", "bind('fresh', [1000, {'a': [2.5, 'text'], 'b': b'bytes'}, {'@': 'l'}, {'@pairs': [[1, 2]]}])"},
    {"rpc", "bind", "bind('victim', nil)"},
    {"rpc", "bind", "bind(['global', 'other'], {'deep': [[[[]]]]})"},
    {"rpc", "unbind", "unbind('victim')"},
    {"rpc", "unbind", "unbind(['global', 'shared'])"},
    {"rpc", "get", "get('l')"},
    {"rpc", "get", "get('l', {'result': 'value'})"},
    {"rpc", "get", "get('o', {'result': 'value', 'into': 70000})"},
    {"rpc", "get", "get('shared', {'into': 2000000000})"},
    {"rpc", "hold", "hold('i')"},
    {"rpc", "hold", "hold('l', {'into': 33})"},
    {"rpc", "release", "release(9)"},
    {"rpc", "offer", "offer('l')"},
    {"rpc", "offer", "offer('victim', {'ttl': 1.5})"},
    {"rpc", "claim", "claim($)"},
    {"rpc", "claim", "claim($, {'into': 50})"},
    {"rpc", "names", "names()"},
    {"rpc", "names", "names('session', {'match': '[a-l]*', 'limit': 3, 'after': 'f'})"},
    {"rpc", "namespaces", "namespaces()"},
    {"rpc", "watch", "watch('i')"},
    {"rpc", "watch", "watch(['global', 'sh*'], {'glob': true})"},
    {"rpc", "unwatch", "unwatch('i')"},
    {"rpc", "new", "new({'a': [1000, 2000, 3000], 'b': {'c': 'text'}})"},
    {"rpc", "new", "new(1000, {'into': 50})"},
    {"rpc", "read", "read('d')"},
    {"rpc", "read", "read('o', {'depth': 1})"},
    {"rpc", "gc", "gc()"},
    {"rpc", "gc_info", "gc_info()"},
    {"rpc", "gc_config", "gc_config({'enabled': false, 'thresholds': [1000, 50], 'slice_us': 1000})"},
    {"rpc", "call", "call('l', 'append', [[1000, 2000]], {'result': 'handle'})"},
    {"rpc", "getattr", "getattr('o', 'm')"},
    {"rpc", "getattr", "getattr('p', 'append')"},
    {"rpc", "getattr", "getattr('o', '__dict__')"},
    {"rpc", "setattr", "setattr('o', 'n', [5000])"},
    {"rpc", "setattr", "setattr('o', 'brand new', {'a': 1000})"},
    {"rpc", "setattr", "setattr('C', 'of the class', 5000)"},
    {"rpc", "delattr", "delattr('o', 'm')"},
    {"rpc", "class", "class('Another')"},
    {"rpc", "is", "is('l', 'm')"},
    {"rpc", "id", "id('l')"},
    {"rpc", "type", "type('o')"},
    {"rpc", "weakref", "weakref('l')"},
    {"rpc", "weakref", "weakref('d', {'notify': true})"},
    {"rpc", "proxy", "proxy('d')"},
    {"rpc", "deref", "deref('w')"},
    {"rpc", "weakrefs", "weakrefs('l')"},
    {"rpc", "copy", "copy('l')"},
    {"rpc", "copy", "copy('e')"},
    {"rpc", "copy", "copy('z')"},
    {"rpc", "copy", "copy('o')"},
    {"rpc", "copy", "copy('wd')"},
    {"rpc", "copy", "copy('wk')"},
    {"rpc", "deepcopy", "deepcopy('d')"},
    {"rpc", "deepcopy", "deepcopy('ws')"},
    {"rpc", "deepcopy", "deepcopy('victim')"},
    {"rpc", "deepcopy", "deepcopy('o')"},
    {"rpc", "dump", "dump('victim')"},
    {"rpc", "dump", "dump('o')"},
    {"rpc", "load", "load(b'" BLOB "')"},
    {"rpc", "load", "load(b'" BLOB "', {'classes': 'by name', 'into': 50})"},
    {"rpc", "refcount", "refcount('l')"},
    {"rpc", "info", "info('o')"},
    {"rpc", "info", "info('l', {'holders': true})"},
    {"rpc", "sizeof", "sizeof('d')"},
    {"rpc", "sizeof", "sizeof('victim', {'deep': true})"},
    {"rpc", "referents", "referents('d', {'after': 1, 'limit': 2})"},
    {"rpc", "referrers", "referrers('l')"},
    {"rpc", "referrers", "referrers('i', {'limit': 1})"},
    {"rpc", "path", "path('l')"},
    {"rpc", "verify", "verify()"},
    {"rpc", "graph", "graph('d', {'depth': 3, 'limit': 5})"},
    {"rpc", "api", "api()"},
    {"rpc", "sessions", "sessions()"},
    {"rpc", "slowlog", "slowlog()"},
    {"rpc", "slowlog", "slowlog(3)"},
    {"rpc", "config_get", "config_get()"},
    {"rpc", "config_get", "config_get('limits.*')"},
    {"rpc", "config_set", "config_set('limits.work', 2000000)"},
    {"rpc", "config_set", "config_set('memory_limit', '1G')"},
    {"rpc", "kill", "kill(1)"},
    {"rpc", "stats", "stats()"},
    {"rpc", "stats", "stats('objects')"},

    {"any", "eq", "call('l', 'eq', [[3, 1, 2, 'x']])"},
    {"any", "ne", "call('d', 'ne', [{'k': 1, 'l': [1000]}])"},
    {"any", "lt", "call('l', 'lt', [[3, 1, 5]])"},
    {"any", "le", "call('s', 'le', ['Hello'])"},
    {"any", "gt", "call('t', 'gt', [{'@': 't'}])"},
    {"any", "ge", "call('i', 'ge', [12344.5])"},
    {"any", "hash", "call('t', 'hash')"},
    {"any", "repr", "call('d', 'repr')"},
    {"any", "repr", "call('victim', 'repr')"},

    {"int", "add", "call('i', 'add', [1000000])"},
    {"int", "sub", "call('i', 'sub', [1000000])"},
    {"int", "mul", "call('i', 'mul', [1000000])"},
    {"int", "floordiv", "call('i', 'floordiv', [7])"},
    {"int", "mod", "call('i', 'mod', [10000])"},
    {"int", "pow", "call('i', 'pow', [2])"},
    {"int", "neg", "call('i', 'neg')"},
    {"int", "abs", "call('i', 'abs')"},
    {"int", "and", "call('i', 'and', [65535])"},
    {"int", "or", "call('i', 'or', [65535])"},
    {"int", "xor", "call('i', 'xor', [65535])"},
    {"int", "not", "call('i', 'not')"},
    {"int", "lshift", "call('i', 'lshift', [3])"},
    {"int", "rshift", "call('i', 'rshift', [3])"},

    {"float", "add", "call('f', 'add', [1])"},
    {"float", "sub", "call('f', 'sub', [1])"},
    {"float", "mul", "call('f', 'mul', [2])"},
    {"float", "floordiv", "call('f', 'floordiv', [2])"},
    {"float", "mod", "call('f', 'mod', [2])"},
    {"float", "pow", "call('f', 'pow', [2])"},
    {"float", "neg", "call('f', 'neg')"},
    {"float", "abs", "call('f', 'abs')"},
    {"float", "div", "call('f', 'div', [2])"},
    {"float", "round", "call('f', 'round', [0])"},

    {"str", "len", "call('u', 'len')"},
    {"str", "get", "call('u', 'get', [2])"},
    {"str", "slice", "call('s', 'slice', [1, 9, 2])"},
    {"str", "find", "call('s', 'find', ['World'])"},
    {"str", "count", "call('s', 'count', ['l'])"},
    {"str", "split", "call('s', 'split', [','])"},
    {"str", "split", "call('s', 'split')"},
    {"str", "join", "call('s', 'join', [['a', 'b', 'c']])"},
    {"str", "upper", "call('s', 'upper')"},
    {"str", "lower", "call('u', 'lower')"},
    {"str", "strip", "call('s', 'strip', ['Hd'])"},
    {"str", "replace", "call('s', 'replace', ['l', 'longer', 2])"},
    {"str", "startswith", "call('s', 'startswith', ['Hell'])"},
    {"str", "endswith", "call('s', 'endswith', ['World'])"},
    {"str", "contains", "call('s', 'contains', [', '])"},
    {"str", "concat", "call('s', 'concat', ['!'])"},

    {"bytes", "len", "call('y', 'len')"},
    {"bytes", "get", "call('y', 'get', [-1])"},
    {"bytes", "slice", "call('y', 'slice', [1, 4])"},
    {"bytes", "find", "call('y', 'find', [b'tes'])"},
    {"bytes", "concat", "call('y', 'concat', [b'more'])"},

    {"list", "len", "call('l', 'len')"},
    {"list", "get", "call('l', 'get', [-1])"},
    {"list", "set", "call('l', 'set', [0, [1000]])"},
    {"list", "append", "call('l', 'append', [1000])"},
    {"list", "extend", "call('l', 'extend', [[1000, 2000]])"},
    {"list", "extend", "call('l', 'extend', ['text'])"},
    {"list", "insert", "call('l', 'insert', [1, 1000])"},
    {"list", "pop", "call('n', 'pop')"},
    {"list", "pop", "call('victim', 'pop', [0], {'result': 'value'})"},
    {"list", "remove", "call('l', 'remove', ['x'])"},
    {"list", "index", "call('l', 'index', [2])"},
    {"list", "count", "call('l', 'count', [1])"},
    {"list", "contains", "call('l', 'contains', ['x'])"},
    {"list", "reverse", "call('l', 'reverse')"},
    {"list", "sort", "call('n', 'sort', [true])"},
    {"list", "clear", "call('victim', 'clear')"},
    {"list", "slice", "call('l', 'slice', [nil, nil, -1])"},
    {"list", "del", "call('l', 'del', [0])"},
    {"list", "scan", "call('l', 'scan', [0, 2])"},

    {"tuple", "len", "call('t', 'len')"},
    {"tuple", "get", "call('t', 'get', [1])"},
    {"tuple", "index", "call('t', 'index', ['two'])"},
    {"tuple", "count", "call('t', 'count', [1000])"},
    {"tuple", "contains", "call('t', 'contains', [1000])"},
    {"tuple", "slice", "call('t', 'slice', [0, 2])"},

    {"dict", "len", "call('d', 'len')"},
    {"dict", "get", "call('d', 'get', ['missing', 1000])"},
    {"dict", "get_item", "call('d', 'get_item', ['k'])"},
    {"dict", "set", "call('d', 'set', ['new', [1000]])"},
    {"dict", "set", "call('e', 'set', ['j', 10])"},
    {"dict", "has", "call('d', 'has', ['k'])"},
    {"dict", "contains", "call('d', 'contains', ['k'])"},
    {"dict", "del", "call('d', 'del', ['l'])"},
    {"dict", "pop", "call('d', 'pop', ['l'])"},
    {"dict", "popitem", "call('d', 'popitem')"},
    {"dict", "setdefault", "call('d', 'setdefault', ['new', [1000]])"},
    {"dict", "update", "call('d', 'update', [{'x': 1000, 'k': 2000, 'y': 3, 'z': 4, 'p': 5, 'q': 6, 'r': 7}])"},
    {"dict", "update", "call('d', 'update', [[['x', 1000], ['k', 2000]]])"},
    {"dict", "keys", "call('d', 'keys')"},
    {"dict", "values", "call('d', 'values')"},
    {"dict", "items", "call('d', 'items')"},
    {"dict", "scan", "call('d', 'scan', [0, 2])"},
    {"dict", "clear", "call('e', 'clear')"},
    {"dict", "add", "call('d', 'add', ['k', 1000])"},
    {"dict", "add", "call('d', 'add', ['counter', 1000])"},

    {"set", "len", "call('z', 'len')"},
    {"set", "has", "call('z', 'has', [1000])"},
    {"set", "contains", "call('z', 'contains', [1000])"},
    {"set", "add", "call('z', 'add', [7000])"},
    {"set", "discard", "call('z', 'discard', [1000])"},
    {"set", "remove", "call('z', 'remove', [1000])"},
    {"set", "pop", "call('z', 'pop')"},
    {"set", "clear", "call('z', 'clear')"},
    {"set", "union", "call('z', 'union', [{'@': 'z2'}])"},
    {"set", "intersection", "call('z', 'intersection', [{'@': 'z2'}])"},
    {"set", "difference", "call('z', 'difference', [{'@': 'z2'}])"},
    {"set", "symmetric_difference", "call('z', 'symmetric_difference', [{'@': 'z2'}])"},
    {"set", "issubset", "call('z', 'issubset', [{'@': 'z2'}])"},
    {"set", "issuperset", "call('z', 'issuperset', [{'@': 'z2'}])"},
    {"set", "items", "call('z', 'items')"},
    {"set", "scan", "call('z', 'scan', [0, 1000])"},
    {"weakdict", "len", "call('wd', 'len')"},
    {"weakdict", "get", "call('wd', 'get', ['k'])"},
    {"weakdict", "get", "call('wd', 'get', ['none', 1000])"},
    {"weakdict", "set", "call('wd', 'set', ['new', {'@': 'n'}])"},
    {"weakdict", "set", "call('wd', 'set', ['k', {'@': 'n'}])"},
    {"weakdict", "set", "call('wd', 'set', ['new', [1000]])"},
    {"weakdict", "has", "call('wd', 'has', ['k'])"},
    {"weakdict", "del", "call('wd', 'del', ['k'])"},
    {"weakdict", "pop", "call('wd', 'pop', ['k'])"},
    {"weakdict", "keys", "call('wd', 'keys')"},
    {"weakdict", "values", "call('wd', 'values')"},
    {"weakdict", "items", "call('wd', 'items')"},
    {"weakdict", "scan", "call('wd', 'scan', [0, 1])"},
    {"weakdict", "clear", "call('wd', 'clear')"},
    {"weakkeydict", "len", "call('wk', 'len')"},
    {"weakkeydict", "get", "call('wk', 'get', [{'@': 'l'}])"},
    {"weakkeydict", "get", "call('wk', 'get', [{'@': 'n'}, 1000])"},
    {"weakkeydict", "set", "call('wk', 'set', [{'@': 'n'}, [1000]])"},
    {"weakkeydict", "set", "call('wk', 'set', [{'@': 'l'}, [1000]])"},
    {"weakkeydict", "set", "call('wk', 'set', [[1000], [2000]])"},
    {"weakkeydict", "has", "call('wk', 'has', [{'@': 'l'}])"},
    {"weakkeydict", "del", "call('wk', 'del', [{'@': 'l'}])"},
    {"weakkeydict", "pop", "call('wk', 'pop', [{'@': 'l'}])"},
    {"weakkeydict", "keys", "call('wk', 'keys')"},
    {"weakkeydict", "values", "call('wk', 'values')"},
    {"weakkeydict", "items", "call('wk', 'items')"},
    {"weakkeydict", "scan", "call('wk', 'scan', [0, 1])"},
    {"weakkeydict", "clear", "call('wk', 'clear')"},
    {"weakset", "len", "call('ws', 'len')"},
    {"weakset", "has", "call('ws', 'has', [{'@': 'l'}])"},
    {"weakset", "add", "call('ws', 'add', [{'@': 'n'}])"},
    {"weakset", "add", "call('ws', 'add', [[1000]])"},
    {"weakset", "discard", "call('ws', 'discard', [{'@': 'l'}])"},
    {"weakset", "remove", "call('ws', 'remove', [{'@': 'l'}])"},
    {"weakset", "items", "call('ws', 'items')"},
    {"weakset", "scan", "call('ws', 'scan', [0, 1])"},
    {"weakset", "clear", "call('ws', 'clear')"},

    {"object", "add", "call('o', 'add', ['n', 1000])"},
    {"object", "add", "call('o', 'add', ['counter', 1000])"},
    {"class", "new", "call('C', 'new')"},
    {"class", "new", "call('list', 'new', [[1, 2, 3]])"},
    {"class", "new", "call('weakdict', 'new', [{'a': {'@': 'l'}}])"},
    {"class", "new", "call('weakkeydict', 'new', [[[{'@': 'l'}, [1000]]]])"},
    {"class", "new", "call('weakset', 'new', [[{'@': 'l'}, {'@': 'n'}]])"},
    {"class", "new", "call('dict', 'new', [[['a', 1000]]])"},
    {"class", "new", "call('str', 'new', [1000])"},
    {"class", "new", "call('set', 'new', ['letters'])"},
    {"class", "new", "call('tuple', 'new', [{'@': 'n'}])"},
    {"class", "new", "call('list', 'new', ['a longer text to be taken apart'])"},
    {"class", "new", "call('dict', 'new', [{'@': 'e'}])"},
    {"class", "new", "call('int', 'new', ['123456789'])"},
    {"class", "new", "call('float', 'new', ['1e300'])"},
    {"class", "new", "call('str', 'new', [b'bytes'])"},
    {"class", "new", "call('bytes', 'new', [[1, 2, 255]])"},
    {"class", "new", "call('object', 'new')"},
    {"method", "call", "call('m', 'call', [1000])"},
    {"method", "__call__", "call('m', '__call__', [[1000]])"},
    {"queue", "len", "call('q', 'len')"},
    {"queue", "put", "call('q', 'put', [[2000]])"},
    {"queue", "take", "call('q', 'take')"},
    {"queue", "take", "call('q', 'take', [0], {'into': 60})"},
    {"queue", "close", "call('q', 'close')"},
    {NULL, NULL, NULL},
};

static bool is_one_of(const char *const *words, const char *word)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

bool script_ends(const struct script_row *row)
{
    static const char *const methods[] = {"bye", "kill", NULL};

    return is_one_of(methods, row->method);
}

bool script_varies(const struct script_row *row)
{
    static const char *const methods[] = {"stats", "hash", "hello", "gc", "gc_info", "gc_config", "offer", "claim",
                                          "config_get", "sessions", "slowlog", NULL};

    return is_one_of(methods, row->method);
}

static bool is_called(const char *type, const char *method)
{
    for (const struct script_row *row = script_rows; row->type != NULL; row++)
        if (strcmp(row->type, type) == 0 && strcmp(row->method, method) == 0)
            return true;
    return false;
}

const char *script_missing(void)
{
    static const struct {
        const char *type, *method, *both;
    } wanted[] = {
#define METHOD(name, since, flags, args, options, result, errors, summary) {"rpc", #name, "rpc." #name},
#include "protocol/methods.def"
#undef METHOD
#define TYPE_METHOD(type, name, least, most, arguments, summary) {#type, #name, #type "." #name},
#define TYPE_METHOD_PEEK TYPE_METHOD
#include "protocol/type_methods.def"
#undef TYPE_METHOD
#undef TYPE_METHOD_PEEK
    };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!is_called(wanted[i].type, wanted[i].method))
            return wanted[i].both;
    return NULL;
}
