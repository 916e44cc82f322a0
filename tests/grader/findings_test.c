#include "grader/findings.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_earliest_check_is_shown_then_the_earliest_case(void **state)
{
    (void)state;
    struct findings findings = {0};
    assert_null(findings_first(&findings));
    for (int check = CHECK_COUNT - 1; check >= 0; check--) { /* found in the opposite order */
        findings_add(&findings, (enum check)check, 3, "%s, case 3", check_name((enum check)check));
        findings_add(&findings, (enum check)check, 2, "%s, case 2", check_name((enum check)check));
        assert_int_equal(findings_first(&findings)->check, check);
        assert_int_equal(findings_first(&findings)->case_index, 2);
    }
    findings_add(&findings, CHECK_BUILD, -1, "about no case");
    findings_add(&findings, CHECK_BUILD, -1, "the same, later");
    assert_string_equal(findings_first(&findings)->message, "about no case");
    findings_done(&findings);
}

/* PRACTICE's order; it is also that of the enum, and the names are in result.json. */
static void checks_stand_in_the_order_in_which_they_explain(void **state)
{
    (void)state;
    static const char *const order[] = {"build",      "contract", "shape", "finite",
                                        "numbers",    "gradient", "edge",  "properties",
                                        "complexity", "speed"};
    assert_int_equal(CHECK_COUNT, sizeof order / sizeof order[0]);
    for (int i = 0; i < CHECK_COUNT; i++) assert_string_equal(check_name((enum check)i), order[i]);
}

static void a_judges_words_stand_where_its_kind_of_check_does(void **state)
{
    (void)state;
    struct findings findings = {0};
    finding_add(&findings, CASE_PROPERTY, 0, NULL, "later");
    finding_add(&findings, CASE_EDGE, 5, "a-mistake", "%d of %d", 2, 3);
    const struct finding *first = findings_first(&findings);
    assert_int_equal(first->check, CHECK_EDGE);
    assert_string_equal(first->message, "2 of 3");
    assert_string_equal(first->mistake, "a-mistake");
    findings_done(&findings);
}

static void a_nan_has_no_sign(void **state)
{
    (void)state;
    struct findings findings = {0};
    findings_add(&findings, CHECK_FINITE, 0, "y[0] is %g, then %g", copysign(NAN, -1.0),
                 copysign(NAN, -1.0));
    assert_string_equal(findings_first(&findings)->message, "y[0] is nan, then nan");
    findings_add(&findings, CHECK_BUILD, 0, "unknown option -nan");
    assert_string_equal(findings_first(&findings)->message, "unknown option -nan");
    findings_done(&findings);
}

static void past_the_limit_the_oldest_stay(void **state)
{
    (void)state;
    struct findings findings = {0};
    for (int i = 0; i < FINDING_LIMIT + 50; i++)
        strcpy(findings_add(&findings, CHECK_NUMBERS, i, "case %d", i)->field, "y");
    assert_int_equal(findings.n, FINDING_LIMIT);
    assert_int_equal(findings.list[FINDING_LIMIT - 1].case_index, FINDING_LIMIT - 1);
    assert_string_equal(findings.list[FINDING_LIMIT - 1].message, "case 199");
    findings_done(&findings);
    assert_int_equal(findings.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_check_is_shown_then_the_earliest_case),
        cmocka_unit_test(checks_stand_in_the_order_in_which_they_explain),
        cmocka_unit_test(a_judges_words_stand_where_its_kind_of_check_does),
        cmocka_unit_test(a_nan_has_no_sign),
        cmocka_unit_test(past_the_limit_the_oldest_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
