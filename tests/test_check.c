/* test_check.c - the verifier finds what is planted: a verifier that finds nothing would make every other test
 * blind. */
#include "store/check.h"

#include <stdio.h>
#include <string.h>

#include "store/kinds/dict.h"
#include "store/kinds/sequence.h"
#include "store/weak.h"
#include "tests/rig.h"

static char lines[4000];

static void gather(void *context, const char *text)
{
    (void)context;
    ck_assert_uint_lt(strlen(lines) + strlen(text) + 1, sizeof lines);
    strcat(strcat(lines, text), "\n");
}

/* Differences found, their text in `lines`. */
static uint64_t differences(void)
{
    struct check *check = check_begin(rig.heap);

    lines[0] = '\0';
    for (unsigned i = 0; i < rig.kept_count; i++)
        check_root(check, rig.kept[i]);
    check_step(check, &rig.step);
    return check_end(check, gather, NULL);
}

static void finds(const char *part)
{
    ck_assert_uint_eq(differences(), 1);
    ck_assert_msg(strstr(lines, part) != NULL, "'%s' has no '%s'", lines, part);
}

START_TEST(a_sound_heap_has_no_differences)
{
    rig_open();
    RIG_LIST(rig_int(1000), rig_str("text"), rig.heap->nil);
    ck_assert_uint_eq(differences(), 0);
    ck_assert_str_eq(lines, "");
    rig_close();
}
END_TEST

START_TEST(a_count_too_high_is_found)
{
    struct obj *list;

    rig_open();
    list = RIG_LIST(rig.heap->nil);
    list->count++;
    finds("list #");
    finds("its count is 2, its holders are 1");
    list->count--;
    rig_close();
}
END_TEST

START_TEST(a_count_too_low_is_found)
{
    struct obj *number;

    rig_open();
    number = rig_int(1000);
    RIG_LIST(number);
    number->count--;
    finds("its count is 1, its holders are 2");
    number->count++;
    rig_close();
}
END_TEST

START_TEST(a_container_that_nobody_holds_is_found)
{
    struct obj *list;

    rig_open();
    ck_assert_int_eq(list_new(rig.heap, 0, &list), HD_OK);
    finds("its count is 1, its holders are 0");
    rig_keep(list);
    rig_close();
}
END_TEST

START_TEST(an_atom_that_nobody_holds_is_found)
{
    struct obj *number;

    rig_open();
    number = rig_int(1000);
    rig.kept_count = 0;
    finds("int: 1 are alive, 0 are held");
    rig_keep(number);
    rig_close();
}
END_TEST

START_TEST(a_wrong_number_of_living_objects_is_found)
{
    rig_open();
    RIG_LIST(rig.heap->nil);
    rig.heap->live[OBJ_DICT]++;
    finds("dict: 1 are alive, 0 are held");
    rig.heap->live[OBJ_DICT]--;
    rig_close();
}
END_TEST

START_TEST(a_table_that_breaks_its_rules_is_found)
{
    struct obj *dict;
    struct table *table;

    rig_open();
    ck_assert_int_eq(dict_new(rig.heap, OBJ_DICT, 0, &dict), HD_OK);
    rig_keep(dict);
    table = &dict_of(dict)->table;
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(dict_set(rig.heap, dict, rig.heap->small_ints[i], rig.heap->nil), HD_OK);
    table->live++;
    finds("its table breaks the rule");
    table->live--;
    table->entries[4].order = table->entries[3].order;
    finds("its table breaks the rule");
    table->entries[4].order = table->entries[3].order + 1;
    rig_close();
}
END_TEST

START_TEST(a_mark_that_a_walk_left_is_found)
{
    struct obj *list;

    rig_open();
    list = RIG_LIST(rig.heap->nil);
    list->flags |= OBJ_ON_PATH;
    finds("mark");
    list->flags &= (uint8_t)~OBJ_ON_PATH;
    rig_close();
}
END_TEST

START_TEST(what_a_dying_queue_holds_is_known)
{
    struct obj *list;

    rig_open();
    list = RIG_LIST(rig_int(1000), rig_int(1001));
    rig_drop(rig.kept[0]);
    rig_drop(rig.kept[0]);
    rig_drop(list);
    while (!step_run(rig.heap, &rig.step, 1))
        ck_assert_uint_eq(differences(), 0);
    rig_close();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_sound_heap_has_no_differences,
        a_count_too_high_is_found,
        a_count_too_low_is_found,
        a_container_that_nobody_holds_is_found,
        an_atom_that_nobody_holds_is_found,
        a_wrong_number_of_living_objects_is_found,
        a_table_that_breaks_its_rules_is_found,
        a_mark_that_a_walk_left_is_found,
        what_a_dying_queue_holds_is_known,
        NULL,
    };

    return suite_run("check", tests);
}
