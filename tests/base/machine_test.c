#include "base/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Numbers of a machine cannot be asserted; only that they are numbers of a machine. */
static void the_limits_are_those_of_a_machine(void **state)
{
    (void)state;
    struct machine machine;
    struct error err;
    if (machine_init(&machine, &err)) skip();
    for (int threads = 1; threads <= 2; threads++) {
        const double bytes = machine_read_gb_per_s(&machine, threads);
        const double operations = machine_f32_gflops(threads);
        assert_true(bytes > 0.05 && bytes < 5000);
        assert_true(operations > 0.05 && operations < 5000);
    }
    for (int product = 0; product < MACHINE_PRODUCT_COUNT; product++) {
        const double operations = machine_peak((enum machine_product)product, 1);
        assert_true(operations == 0 || (operations > 0.05 && operations < 50000));
    }
    machine_done(&machine);
    machine_done(&machine);
    assert_null(machine.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_limits_are_those_of_a_machine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
