//! Every connector keeps every promise of `tests/support/conformance`. A new one adds one file here
//! and its line below. The file says what the other side is, and ends with the lists that hold for
//! it: `every_promise!` for all, and one more for files or for stores.

/// One test for each promise.
macro_rules! keep {
    ($party:ident: $list:ident: $($promise:ident)*) => {
        $(
            #[test]
            fn $promise() {
                crate::support::conformance::$list::$promise::<$party>();
            }
        )*
    };
}

/// Those of what is read and never written.
macro_rules! every_reading_promise {
    ($party:ident) => {
        keep! { $party: promises:
            every_item_is_listed_once_with_all_it_has
            a_pull_takes_every_value_exactly
            the_second_pull_changes_nothing
            unknown_is_not_zero
            zero_is_zero
            a_bad_value_stops_no_other
            a_delivery_that_is_cut_changes_nothing
            an_empty_delivery_changes_nothing
            an_error_page_in_its_place_changes_nothing
            an_absent_item_is_not_zero
            the_order_of_rows_does_not_matter
        }
    };
}

macro_rules! every_promise {
    ($party:ident) => {
        every_reading_promise! { $party }
        keep! { $party: promises:
            a_push_changes_exactly_the_values_that_differ_and_nothing_else
            the_second_push_changes_nothing
            a_pull_after_a_push_changes_nothing
            an_empty_value_is_filled
            a_linked_item_that_is_gone_stops_no_other
            what_the_inventory_does_not_know_is_not_sent
            a_dry_run_writes_nothing_and_plans_the_same
            a_wholesaler_is_never_written
        }
    };
}

/// Those of files that are read and never written.
macro_rules! every_read_file_promise {
    ($party:ident) => {
        keep! { $party: file_promises:
            equal_duplicates_count_once_and_unequal_ones_are_trusted_nowhere
            an_item_without_any_key_is_a_problem_and_no_item
        }
    };
}

macro_rules! every_file_promise {
    ($party:ident) => {
        every_read_file_promise! { $party }
        keep! { $party: file_promises:
            line_ends_and_a_missing_last_one_stay
            an_absent_cell_is_refused_and_the_rest_goes_on
            equal_repeated_rows_are_all_written_and_unequal_ones_not_at_all
            permissions_stay_and_no_file_is_left_behind
        }
    };
}

macro_rules! every_store_promise {
    ($party:ident) => {
        keep! { $party: store_promises:
            two_items_of_one_sku_are_linked_to_nothing
            an_item_without_sku_is_unlinked_and_stops_no_other
            a_catalogue_that_changes_while_it_is_read_loses_no_item
            only_stock_and_price_are_ever_sent
            an_item_without_a_count_is_sent_its_price_alone
            a_refused_item_stops_no_other
            nothing_is_sent_by_a_second_push_a_dry_run_or_to_a_wholesaler
            a_write_without_an_answer_is_settled_and_sent_no_more_often_than_needed
            a_sale_after_a_write_without_an_answer_is_not_overwritten
            what_stays_uncertain_is_settled_by_the_next_push
            a_page_in_answer_to_a_write_is_no_success
            a_wrong_key_changes_nothing
            a_key_that_may_only_read_changes_nothing
            a_store_that_is_down_changes_nothing
            a_network_that_loses_every_answer_changes_nothing
            no_secret_is_ever_shown_or_kept
        }
    };
}

mod csv;
mod edifact;
mod json;
mod medusa;
mod ods;
mod sheets;
mod woocommerce;
mod xlsx;
mod xml;
