-- What accounts bring along is read from the events themselves, found by their names.
CREATE INDEX outcomes_of_adoption ON read_models.outcomes (event_name, account_id)
    WHERE event_name = 'OpeningPositionRecorded'
        OR (event_name = 'ReservationPurchased' AND body ? 'returned_quantity');
